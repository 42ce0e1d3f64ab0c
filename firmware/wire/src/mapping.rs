//! Requests to a router to open a port of its own to the internet: NAT-PMP, PCP, and UPnP's Internet Gateway Device.
//!
//! **Shape**: NAT-PMP: version 0, opcode (1 UDP, 2 TCP), reserved (2), internal port (2), external port (2), lifetime (4).
//! PCP: version 2, a bit for responses and the opcode (1 MAP), reserved (2), lifetime (4), the client's address (16), and 36 more for MAP.
//! UPnP: a POST by HTTP whose field `SOAPAction` names the action.
//!
//! **Bounds**: a lifetime of 0 closes a port, which is no request to open one.
//!
//! **Source**: RFC 6886 section 3.3; RFC 6887 sections 7.1 and 11.1; UPnP WANIPConnection:2 sections 2.5.16 and 2.5.19,
//! WANIPv6FirewallControl:1 section 2.5.3.

/// Where routers hear NAT-PMP and PCP.
pub const PORT: u16 = 5351;
/// The actions that open a port, as they stand behind the service's type.
const ACTIONS: [&[u8]; 3] = [b"#AddPortMapping", b"#AddAnyPortMapping", b"#AddPinhole"];

/// Whether a datagram to [`PORT`] asks to open a port.
#[must_use]
pub fn is_opened_by(payload: &[u8]) -> bool {
    match *payload {
        [0, 1 | 2, _, _, _, _, _, _, a, b, c, d, ..] => [a, b, c, d] != [0; 4],
        [2, 1, _, _, a, b, c, d, ..] => payload.len() >= 60 && [a, b, c, d] != [0; 4],
        _ => false,
    }
}

/// Whether a request by HTTP asks to open a port.
#[must_use]
pub fn is_opened_over_http(payload: &[u8]) -> bool {
    payload.starts_with(b"POST ") && ACTIONS.iter().any(|action| payload.windows(action.len()).any(|at| at == *action))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn nat_pmp(opcode: u8, lifetime: u32) -> Vec<u8> {
        let mut request = std::vec![0, opcode, 0, 0, 0x1f, 0x90, 0x1f, 0x90];
        request.extend(lifetime.to_be_bytes());
        request
    }

    fn pcp(opcode: u8, lifetime: u32) -> Vec<u8> {
        let mut request = std::vec![2, opcode, 0, 0];
        request.extend(lifetime.to_be_bytes());
        request.extend([0; 16 + 36]);
        request
    }

    #[test]
    fn a_request_for_some_time_opens_a_port_and_one_for_none_closes_it() {
        for request in [nat_pmp(1, 3_600), nat_pmp(2, 1), pcp(1, 7_200)] {
            assert!(is_opened_by(&request), "{request:?}");
        }
        // Closed; asked for the outer address; an answer; PCP's announcement and its answer.
        for request in [nat_pmp(1, 0), nat_pmp(0, 9), nat_pmp(129, 9), pcp(1, 0), pcp(0, 9), pcp(0x81, 9)] {
            assert!(!is_opened_by(&request), "{request:?}");
        }
    }

    #[test]
    fn a_request_that_is_cut_anywhere_opens_nothing() {
        for request in [nat_pmp(2, u32::MAX), pcp(1, u32::MAX)] {
            for len in 0..request.len() {
                assert!(!is_opened_by(&request[..len]), "{len}");
            }
        }
    }

    #[test]
    fn of_upnp_only_what_opens_counts() {
        let post = |action: &str| {
            let field = std::format!("SOAPAction: \"urn:schemas-upnp-org:service:WANIPConnection:1{action}\"");
            std::format!("POST /ctl/IPConn HTTP/1.1\r\nHost: 192.168.1.1:80\r\n{field}\r\n\r\n").into_bytes()
        };
        for action in ["#AddPortMapping", "#AddAnyPortMapping", "#AddPinhole"] {
            assert!(is_opened_over_http(&post(action)), "{action}");
        }
        for action in ["#GetExternalIPAddress", "#DeletePortMapping", "#AddPort"] {
            assert!(!is_opened_over_http(&post(action)), "{action}");
        }
        let get = [&b"GET"[..], &post("#AddPortMapping")[4..]].concat();
        assert!(!is_opened_over_http(&get) && !is_opened_over_http(b""));
    }
}
