//! Signing is a request: bytes out, signature in.
//!
//! A pure crate never holds a private key. It returns a [`SigningRequest`], which a key file, an HSM, a
//! passkey or a browser fulfils; what comes back turns into the finished, signed thing.

use thiserror::Error;

use crate::Algorithm;
use crate::PublicKey;
use crate::Signature;
use crate::bbs::BbsError;

/// Something that lacks only a signature over [`SigningRequest::message`].
#[must_use = "nothing is signed until the request is fulfilled"]
pub struct SigningRequest<T> {
    algorithm: Algorithm,
    message: Vec<u8>,
    complete: Box<dyn FnOnce(Signature) -> T + Send>,
}

impl<T> SigningRequest<T> {
    /// A request for a signature over `message`; `complete` puts the signature in its place.
    pub fn new(algorithm: Algorithm, message: Vec<u8>, complete: impl FnOnce(Signature) -> T + Send + 'static) -> Self {
        Self {
            algorithm,
            message,
            complete: Box::new(complete),
        }
    }

    /// The algorithm that the signing key must have: the message may already name it.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The bytes to sign, before any hashing of the algorithm's own; for BBS the [`crate::bbs::SigningInput`].
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Puts the signature in its place. Whether it is right shows when the result is verified.
    pub fn complete(self, signature: Signature) -> T {
        (self.complete)(signature)
    }

    /// The same request with a further step after completion.
    pub fn map<U>(self, then: impl FnOnce(T) -> U + Send + 'static) -> SigningRequest<U>
    where
        T: 'static,
    {
        let complete = self.complete;
        SigningRequest {
            algorithm: self.algorithm,
            message: self.message,
            complete: Box::new(move |signature| then(complete(signature))),
        }
    }
}

impl<T> std::fmt::Debug for SigningRequest<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The message may hold claims, so only its length is shown.
        f.debug_struct("SigningRequest")
            .field("algorithm", &self.algorithm)
            .field("message_bytes", &self.message.len())
            .finish_non_exhaustive()
    }
}

/// A private key somewhere: a file, an HSM, a person's device.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// A signature over `message` with the key's own algorithm.
    ///
    /// # Errors
    /// [`SignerError::Unavailable`] when the key cannot be used now, [`SignerError::Message`] when it signs no such
    /// bytes.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;
}

impl dyn Signer + '_ {
    /// Signs what the request asks for.
    ///
    /// # Errors
    /// [`SignerError::WrongAlgorithm`] when the request was made for another kind of key.
    pub fn fulfil<T>(&self, request: SigningRequest<T>) -> Result<T, SignerError> {
        fulfil(self, request)
    }
}

/// Signs what `request` asks for with `signer`.
///
/// # Errors
/// [`SignerError::WrongAlgorithm`] when the request was made for another kind of key (the caller's
/// fault), [`SignerError::Unavailable`] when the key cannot be used now.
pub fn fulfil<T, S: Signer + ?Sized>(signer: &S, request: SigningRequest<T>) -> Result<T, SignerError> {
    let found = signer.public_key().algorithm();
    if found != request.algorithm {
        return Err(SignerError::WrongAlgorithm {
            expected: request.algorithm,
            found,
        });
    }
    let signature = signer.sign(&request.message)?;
    Ok(request.complete(signature))
}

/// Why nothing was signed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The caller's fault: this kind of key signs no such bytes.
    #[error("the message is nothing that a key of this algorithm signs")]
    Message(#[source] BbsError),
    /// The environment's fault: the device or file behind the key failed.
    #[error("the signing key cannot be used now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The caller's fault: this request needs another key.
    #[error("the request needs an {expected} key, this key is {found}")]
    WrongAlgorithm {
        /// What the request was made for.
        expected: Algorithm,
        /// What the key is.
        found: Algorithm,
    },
}
