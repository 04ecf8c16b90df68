//! The story of three nations: A and B recognise each other, and so do B and C. What that makes of a credential abroad,
//! and what not.

use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use anyhow::ensure;
use serde_json::Value;
use serde_json::json;

use super::PERSON;
use super::Stage;
use super::path;

/// Longer than the story.
const UNTIL: &str = "2099-01-01T00:00:00Z";

/// The folder of a nation is its own: officers, wallets of its people, and what its verifiers pinned.
fn nation(main: &Stage, name: &str) -> Result<Stage> {
    let folder = main.folder.join(name);
    std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut stage = Stage::new(folder, main.output)?;
    let origin = format!("registry.{name}.example");
    stage.start_platform(&["--sample", "--origin", &origin])?;
    Ok(stage)
}

pub(super) fn story(main: &mut Stage) -> Result<()> {
    main.output.tell("The story of three nations\n");
    let (mut a, mut b, mut c) = (nation(main, "a")?, nation(main, "b")?, nation(main, "c")?);
    main.held("Three nations are founded, A, B and C, each with a registry of its own");
    for (one, other) in [(&a, &b), (&b, &a), (&b, &c), (&c, &b)] {
        recognise(one, &other.url()?)?;
    }
    main.held("A and B recognise each other, and so do B and C; two officers sign each time");

    let (in_b, in_c) = (person(&b)?, person(&c)?);
    main.held("A person of B and one of C have an identity of their own nation in their wallets");
    carry_trust_away(&a, &b, &c)?;
    for nation in [&mut a, &mut b, &mut c] {
        nation.stop_platform()?;
    }
    main.held(
        "Verifiers of A and B fetch the bundles of their own and of the neighbours; then everything is switched off",
    );

    abroad(main, &a, &b, (&in_b, &in_c))?;
    withdraw(main, &mut a, &in_b)
}

/// One nation's officers look at another one and say that it counts.
fn recognise(nation: &Stage, abroad: &str) -> Result<()> {
    let data = nation.data();
    let proposed = nation.ok(&[
        "registry",
        "recognise",
        abroad,
        "--until",
        UNTIL,
        "--type",
        "PersonIdentity",
        "--data",
        path(&data)?,
    ])?;
    approve(nation, &proposed)
}

fn approve(nation: &Stage, proposed: &Value) -> Result<()> {
    let id = proposed.get("id").and_then(Value::as_str).context("no proposal")?;
    nation.approve(id, 1)?;
    nation.complete(id)
}

/// Somebody who has an identity of the nation, and shows it to a verifier of A: the request and the presentation.
fn person(nation: &Stage) -> Result<(PathBuf, PathBuf)> {
    nation.wallet(&["init"])?;
    let offer = nation.offer("population", "PersonIdentity", PERSON)?;
    nation.wallet(&["accept", &offer])?;
    let request = nation.folder.join("request.json");
    let asked = ["verifier", "request", "--offline", "--query", "age-over-18", "--out"];
    nation.ok(&[&asked[..], &[path(&request)?]].concat())?;
    let presentation = nation.presentation();
    nation.wallet(&["present", path(&request)?, "--out", path(&presentation)?, "--yes"])?;
    Ok((request, presentation))
}

/// Each verifier pins its own nation and nobody else.
fn carry_trust_away(a: &Stage, b: &Stage, c: &Stage) -> Result<()> {
    let own = |nation: &Stage| -> Result<()> {
        let bundle = nation.bundle();
        nation.ok(&["bundle", "fetch", &nation.url()?, "--out", path(&bundle)?])?;
        Ok(())
    };
    let neighbour = |nation: &Stage, other: &Stage, file: &str| {
        let (own, out) = (nation.bundle(), nation.folder.join(file));
        let by = ["--recognised-by", path(&own)?];
        nation.run(&[&["bundle", "fetch", &other.url()?, "--out", path(&out)?], &by[..]].concat())
    };
    for nation in [a, b, c] {
        own(nation)?;
    }
    for (nation, other, file) in [(a, b, "b.bundle"), (b, c, "c.bundle")] {
        let fetched = neighbour(nation, other, file)?;
        ensure!(
            fetched.code == 0,
            "the neighbour's bundle is refused: {}",
            fetched.stderr
        );
    }
    let refused = neighbour(a, c, "c.bundle")?;
    ensure!(
        refused.code != 0 && refused.stderr.contains("recognises"),
        "A took a bundle of C, which it does not recognise"
    );
    // Whoever brings it all the same.
    std::fs::copy(c.bundle(), a.folder.join("c.bundle"))?;
    Ok(())
}

/// What a verifier says about an answer, with these bundles of its folder.
fn verdict(nation: &Stage, bundles: &[&str], (request, presentation): &(PathBuf, PathBuf)) -> Result<Value> {
    let files: Vec<PathBuf> = bundles.iter().map(|name| nation.folder.join(name)).collect();
    let mut arguments = vec!["verify", "--request", path(request)?];
    for file in &files {
        arguments.extend(["--bundle", path(file)?]);
    }
    arguments.push(path(presentation)?);
    let outcome = nation.run(&arguments)?;
    if ![0, 1].contains(&outcome.code) {
        bail!("the verifier could not be used: {}", outcome.stderr.trim());
    }
    Ok(outcome.value)
}

fn expect_valid(verdict: &Value, by: &str) -> Result<()> {
    ensure!(
        verdict.get("verdict") == Some(&json!("valid"))
            && verdict.pointer("/claims/age_over_18") == Some(&json!(true))
            && verdict.pointer("/issuer/recognised_by") == Some(&json!(by)),
        "expected a valid answer of a nation that {by} recognises, found {verdict}"
    );
    Ok(())
}

fn expect_refused(verdict: &Value, reason: &str) -> Result<()> {
    let reasons = verdict.get("reasons").map(ToString::to_string).unwrap_or_default();
    ensure!(
        verdict.get("verdict") == Some(&json!("refused")) && reasons.contains(reason),
        "expected a refusal with {reason:?}, found {verdict}"
    );
    Ok(())
}

type Answer = (PathBuf, PathBuf);

fn abroad(main: &mut Stage, a: &Stage, b: &Stage, (in_b, in_c): (&Answer, &Answer)) -> Result<()> {
    expect_valid(&verdict(a, &["trust.bundle", "b.bundle"], in_b)?, "registry.a.example")?;
    main.held("In A the person of B shows that they are over 18: verified with the bundles of A and B, and no network");
    expect_refused(&verdict(a, &["trust.bundle"], in_b)?, "knows the issuer")?;
    main.held("With the bundle of A alone, nobody there knows the issuer");
    expect_valid(&verdict(b, &["trust.bundle", "c.bundle"], in_c)?, "registry.b.example")?;
    main.held("In B the person of C is believed");
    let all = ["trust.bundle", "b.bundle", "c.bundle"];
    expect_refused(&verdict(a, &all, in_c)?, "registry.c.example is not recognised")?;
    main.held(
        "In A the person of C is refused, even with the bundles of all three: that B recognises C says nothing there",
    );
    Ok(())
}

/// A has seen enough of B.
fn withdraw(main: &mut Stage, a: &mut Stage, in_b: &Answer) -> Result<()> {
    a.start_platform(&[])?;
    let (data, file, bundle) = (a.data(), a.folder.join("withdraw.json"), a.bundle());
    let body = json!({"type": "recognition", "action": "withdraw", "origin": "registry.b.example"});
    std::fs::write(&file, body.to_string())?;
    let proposed = a.ok(&["registry", "propose", path(&file)?, "--data", path(&data)?])?;
    approve(a, &proposed)?;
    a.ok(&["bundle", "update", path(&bundle)?, &a.url()?])?;
    a.stop_platform()?;
    let both = ["trust.bundle", "b.bundle"];
    expect_refused(&verdict(a, &both, in_b)?, "registry.b.example is not recognised")?;
    main.held("A withdraws its recognition of B; with its newer bundle the same answer is refused");
    Ok(())
}
