//! `attestry up`: ready means that everything answers; a restart loses nothing; SIGTERM lets what is in flight
//! finish.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use e2e::LogView;
use e2e::Place;
use e2e::Platform;
use e2e::Request;
use e2e::Response;
use e2e::Wallet;
use e2e::eventually;
use e2e::now;
use e2e::status_of;

const AGENCIES: [&str; 4] = ["population", "transport", "health", "business"];

fn everything_answers(platform: &Platform) {
    let client = platform.client();
    assert_eq!(client.get("/health").expect(200)["status"], "ok");
    for agency in AGENCIES {
        let identifier = format!("{}/issuers/{agency}", platform.url());
        let metadata = client.get(&format!("/.well-known/openid-credential-issuer/issuers/{agency}"));
        assert_eq!(metadata.expect(200)["credential_issuer"], identifier);
        let server = client.get(&format!("/.well-known/oauth-authorization-server/issuers/{agency}"));
        assert_eq!(server.expect(200)["issuer"], identifier);
    }
    let log = LogView::pin(client);
    let bundle = log.bundle(client);
    // One to issue for each agency, and the population office's to publish its register.
    assert_eq!(bundle.state().accreditations().count(), AGENCIES.len() + 1);
    assert_eq!(bundle.witnessed().cosigned().len(), 1);
    assert_eq!(client.get("/").status, 200);
}

#[test]
fn ready_means_that_everything_answers() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    everything_answers(&platform);
    platform.stop();
}

#[test]
fn a_restart_finds_everything_again() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let mut log = LogView::pin(platform.client());
    log.follow(platform.client());
    let offer = platform.offer("population", "PersonIdentity", "X0000001A");
    let credential = Wallet::new().accept(platform.client(), &offer);
    let listed = platform.client().credentials("population", None);
    platform.stop();

    let platform = place.up(&[]);
    everything_answers(&platform);
    assert_eq!(LogView::pin(platform.client()).anchor(), log.anchor());
    log.follow(platform.client());
    assert_eq!(platform.client().credentials("population", None), listed);
    let (issuer, uri, _) = status_of(&credential);
    let bundle = log.bundle(platform.client());
    assert!(bundle.status_list(&issuer, &uri).is_ok(), "{uri}");
    // `--sample` founds nothing where something is.
    platform.stop();
    let platform = place.up(&["--sample"]);
    assert_eq!(platform.client().credentials("population", None), listed);
    platform.stop();
}

/// The platform moves to another URL; what was issued before is revoked where its holders' verifiers look.
#[test]
fn a_revocation_reaches_credentials_of_an_earlier_url() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let offer = platform.offer("population", "PersonIdentity", "X0000001A");
    let (issuer, uri, index) = status_of(&Wallet::new().accept(platform.client(), &offer));
    let first_url = platform.url().to_owned();
    platform.stop();

    // While the old port is taken, the platform gets another.
    let _taken = std::net::TcpListener::bind(first_url.trim_start_matches("http://")).unwrap();
    let platform = place.up(&[]);
    assert_ne!(platform.url(), first_url);
    let id = platform.client().credentials("population", None)[0]["id"].clone();
    let log = LogView::pin(platform.client());
    let status = || {
        log.bundle(platform.client())
            .status_list(&issuer, &uri)
            .unwrap()
            .bits
            .get(index)
    };
    assert_eq!(status(), Some(0));
    let revoked = platform.run(
        &place,
        &["revoke", "--agency", "population", "--credential", id.as_str().unwrap()],
    );
    assert_eq!(revoked.expect(0)["committed"], true);
    assert_eq!(status(), Some(1));
    // New credentials point to where the platform is now.
    let offer = platform.offer("population", "PersonIdentity", "X0000001A");
    let (_, uri, _) = status_of(&Wallet::new().accept(platform.client(), &offer));
    assert!(uri.starts_with(platform.url()), "{uri}");
    platform.stop();
}

#[test]
fn a_request_in_flight_is_finished_at_sigterm() {
    let place = Place::new();
    let mut platform = place.up(&["--sample"]);
    let address = platform.client().address();
    let offer = platform.offer("population", "PersonIdentity", "X0000001A");
    let request = Request::post_form("/issuers/population/token", offer.form(None));
    let head = request.head(address);
    let form = offer.form(None);
    let (first, rest) = form.split_at(form.len() / 2);

    // One connection that waits for its next request, and one in the middle of one.
    let mut idle = TcpStream::connect(address).unwrap();
    write!(idle, "GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
    assert_eq!(Response::read(&mut idle).unwrap().status, 200);
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head}{first}").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    platform.terminate();
    // It takes no new ones from now on...
    eventually("refused connections", Duration::from_secs(10), || {
        TcpStream::connect(address).err()
    });
    // ...but answers what it has begun.
    stream.write_all(rest.as_bytes()).unwrap();
    let answer = Response::read(&mut stream).unwrap();
    assert!(answer.expect(200)["access_token"].is_string());
    let begin = now();
    assert!(platform.wait().success(), "{}", platform.stderr());
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "an idle connection held it up"
    );
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    // What was acknowledged on the way out is there: the code is used up.
    let platform = place.up(&[]);
    let again = offer.redeem(platform.client(), None).unwrap();
    assert_eq!(again.oauth_error(), (400, "invalid_grant".to_owned()));
    platform.stop();
}

#[test]
fn a_data_folder_serves_one_platform_at_a_time() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let mut second = place.command(&["up", "--listen", "127.0.0.1:0"]);
    second.env_remove("ATTESTRY_PASSPHRASE").stdout(Stdio::null());
    let output = second.output().unwrap();
    assert!(!output.status.success());
    assert_eq!(platform.client().get("/health").status, 200);
    platform.stop();
}

#[test]
fn an_empty_folder_is_founded_only_on_request() {
    let place = Place::new();
    let mut command = place.command(&["up", "--listen", "127.0.0.1:0"]);
    let output = command.env_remove("ATTESTRY_PASSPHRASE").output().unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("--sample"), "{stderr}");
}
