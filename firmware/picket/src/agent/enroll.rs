//! `picket agent enroll`: fetches this host's token with its code, from the one box of a fingerprint.

use protocol::source::Enrolled;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use super::state::Enrolment;
use super::{Trouble, tls};
use crate::cli::AgentEnrollArgs;
use crate::terminal::print;

/// Enrols, and says what comes next.
pub fn enroll(args: &AgentEnrollArgs) -> Result<(), Trouble> {
    if args.folder.join("enrolment.json").exists() && !args.anew {
        return Err("this host is enrolled already; --anew forgets that".into());
    }
    let (config, seen) = tls::of_fingerprint(&args.fingerprint)?;
    let body = json!({"code": args.code}).to_string();
    let answer = tls::post(&args.at, &config, "/api/v1/sources/redeem", None, body)?;
    if answer.status != 200 {
        let said = serde_json::from_str::<Value>(&answer.text).ok();
        let why = said.as_ref().and_then(|said| said["detail"].as_str()).unwrap_or("it says no more").to_owned();
        return Err(format!("the box refuses ({}): {why}", answer.status).into());
    }
    let made: Enrolled = serde_json::from_str(&answer.text)?;
    let authority = seen.authority().ok_or("the box shows no authority of its own")?;
    let mut octets = [0; 6];
    SystemRandom::new().fill(&mut octets).map_err(|_| "the system gives no random octets")?;
    // Below 2^53, so that every reader of JSON reads the same number; never 0.
    let stream = octets.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet)) | 1;
    let enrolment = Enrolment {
        at: args.at.clone(),
        name: made.name.clone(),
        token: made.token.ok_or("the box hands out no token")?,
        authority: authority.iter().map(|octet| format!("{octet:02x}")).collect(),
        stream,
    };
    // What an enrolment before has left belongs to another stream.
    let _ = std::fs::remove_dir_all(args.folder.join("spool"));
    enrolment.write(&args.folder).map_err(|error| format!("{}: {error}", args.folder.display()))?;
    print(&format!(
        "this host is enrolled as {}; picket agent show says what it tells, sudo picket agent install starts it\n",
        made.name
    ));
    Ok(())
}

/// Octets of hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(&pair[0])? << 4 | digit(&pair[1])?)).collect()
}
