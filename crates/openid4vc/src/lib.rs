//! OpenID4VCI, OpenID4VP, DCQL and the OAuth parts they need, sans-io. Pure.
