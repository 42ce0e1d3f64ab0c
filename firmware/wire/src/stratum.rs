//! Stratum, in which miners talk to their pool.
//!
//! **Shape**: lines of JSON-RPC over TCP; a miner begins with `mining.subscribe` or `mining.authorize` (Bitcoin and its kin), with
//! `eth_submitLogin` (Ethereum's), or with `login` and an agent (Monero's).
//!
//! **Bounds**: the first 256 octets of a payload are looked at, and none of it unless it begins an object.
//!
//! **Source**: the Stratum documentation of Braiins; the protocol of xmrig-proxy; EIP-1571.

use crate::octets::contains;

/// How much of a payload is looked at.
const LOOKED_AT: usize = 256;
/// Methods that only miners call.
const METHODS: [&[u8]; 4] =
    [b"\"mining.subscribe\"", b"\"mining.authorize\"", b"\"mining.submit\"", b"\"eth_submitlogin\""];

/// Whether this payload of a client is a miner's request.
#[must_use]
pub fn is_request(payload: &[u8]) -> bool {
    if payload.first() != Some(&b'{') {
        return false;
    }
    let line = payload.get(..LOOKED_AT).unwrap_or(payload);
    METHODS.iter().any(|method| contains(line, method))
        || (contains(line, b"\"method\"") && contains(line, b"\"login\"") && contains(line, b"\"params\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn miners_are_known_by_their_first_words() {
        for line in [
            &b"{\"id\": 1, \"method\": \"mining.subscribe\", \"params\": []}\n"[..],
            b"{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"worker\",\"x\"]}",
            b"{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"login\",\"params\":{\"login\":\"4\"}}",
            b"{\"worker\":\"w\",\"jsonrpc\":\"2.0\",\"params\":[],\"method\":\"eth_submitLogin\"}",
        ] {
            assert!(is_request(line), "{}", core::str::from_utf8(line).unwrap());
        }
    }

    #[test]
    fn other_json_and_other_words_are_none() {
        for line in
            [&b"{\"method\":\"ping\"}"[..], b"{\"user\":\"login\"}", b"GET /mining.subscribe HTTP/1.1", b"{", b""]
        {
            assert!(!is_request(line));
        }
    }
}
