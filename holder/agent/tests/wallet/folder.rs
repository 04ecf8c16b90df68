//! The wallet's folder: made once, opened with its passphrase, forgetting.

use holder_agent::Wallet;
use holder_agent::WalletError;
use signer::Passphrase;
use signer::VaultError;

use crate::accept::accepted;
use crate::chain;
use crate::items;
use crate::passphrase;
use crate::platform::Platform;
use crate::wallet;

#[test]
fn a_wallet_is_made_once_and_opened_with_its_passphrase_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("wallet");
    assert!(!Wallet::exists(&home));
    let missing = Wallet::open(&home, &passphrase()).unwrap_err();
    assert!(matches!(missing, WalletError::Missing { .. }), "{missing}");
    let empty = Wallet::init(&home, &Passphrase::new(String::new())).unwrap_err();
    assert!(matches!(empty, WalletError::NoPassphrase), "{empty}");
    assert!(!Wallet::exists(&home));

    let wallet = Wallet::init(&home, &passphrase()).unwrap();
    assert!(wallet.list().unwrap().is_empty() && wallet.history().unwrap().is_empty());
    let locked = Wallet::open(&home, &passphrase()).unwrap_err();
    assert!(
        matches!(locked, WalletError::Vault(VaultError::Locked { .. })),
        "{locked}"
    );
    drop(wallet);
    let again = Wallet::init(&home, &passphrase()).unwrap_err();
    assert!(matches!(again, WalletError::Exists { .. }), "{again}");
    let wrong = Wallet::open(&home, &Passphrase::new("wrong".to_owned())).unwrap_err();
    assert!(matches!(wrong, WalletError::Vault(VaultError::Unlock(_))), "{wrong}");
    assert!(chain(&wrong).contains("passphrase does not open"), "{}", chain(&wrong));
    Wallet::open(&home, &passphrase()).unwrap();
}

#[tokio::test]
async fn forgetting_removes_the_credential_and_its_key() {
    let platform = Platform::start().await;
    let (wallet, folder) = wallet();
    let first = accepted(&platform, &wallet, &["Identity"]).await.remove(0);
    let second = accepted(&platform, &wallet, &["Identity"]).await.remove(0);
    assert_ne!(first.id, second.id);
    wallet.forget(&first.id).unwrap();
    assert_eq!(wallet.list().unwrap(), std::slice::from_ref(&second));
    for room in ["credentials", "keys"] {
        assert_eq!(items(folder.path(), room), [second.id.as_str()], "{room}");
    }
    for unknown in [first.id.as_str(), "", "../vault.json", "0000000000", "ABCDEF0123"] {
        let shown = wallet.show(unknown).unwrap_err();
        assert!(matches!(shown, WalletError::Unknown { .. }), "{unknown}: {shown}");
        let forgotten = wallet.forget(unknown).unwrap_err();
        assert!(
            matches!(forgotten, WalletError::Unknown { .. }),
            "{unknown}: {forgotten}"
        );
    }
}

#[tokio::test]
async fn a_damaged_credential_is_named_and_can_be_forgotten() {
    let platform = Platform::start().await;
    let (wallet, folder) = wallet();
    let one = accepted(&platform, &wallet, &["Identity"]).await.remove(0);
    let other = accepted(&platform, &wallet, &["Identity"]).await.remove(0);
    let path = folder.path().join("credentials").join(&one.id);
    // Also another credential of the same wallet in its place is damage.
    for bytes in [
        b"damaged".to_vec(),
        std::fs::read(folder.path().join("credentials").join(&other.id)).unwrap(),
    ] {
        std::fs::write(&path, bytes).unwrap();
        for error in [wallet.list().map(drop), wallet.show(&one.id).map(drop)] {
            let error = error.unwrap_err();
            assert!(
                matches!(&error, WalletError::Item { name } if name.ends_with(&one.id)),
                "{error}"
            );
        }
    }
    assert!(wallet.show(&other.id).is_ok());
    wallet.forget(&one.id).unwrap();
    assert_eq!(wallet.list().unwrap(), [other]);
}

#[tokio::test]
async fn nothing_in_the_folder_is_readable_without_the_passphrase() {
    let platform = Platform::start().await;
    let (wallet, folder) = wallet();
    let one = accepted(&platform, &wallet, &["Identity"]).await.remove(0);
    let bytes = std::fs::read(folder.path().join("credentials").join(&one.id)).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("Population") && !text.contains("urn:pid"));
}
