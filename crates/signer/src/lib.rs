//! Where private keys live: encrypted key files, later PKCS#11. The edge.
