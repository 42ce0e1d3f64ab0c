//! The figures of `[detect]` as detection takes them.

use detect::{Kinds, Thresholds};

use super::keys::DetectConfig;

impl DetectConfig {
    /// Which kinds of evidence are looked for.
    #[must_use]
    pub fn kinds(&self) -> Kinds {
        if !self.enabled {
            return Kinds::NONE;
        }
        Kinds { rules: self.rules, forest: self.forest, baseline: self.baseline }
    }

    /// What the rules compare with.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        Thresholds {
            ports_per_minute: self.ports_per_minute,
            require_refused: self.require_refused,
            udp_ports_per_minute: self.udp_ports_per_minute,
            hosts_per_minute: self.hosts_per_minute,
            failed_logins: self.failed_logins,
            // The window is at most ten minutes long.
            failed_logins_seconds: u32::try_from(self.failed_logins_window.secs()).unwrap_or(u32::MAX),
            icmp_per_second: self.icmp_per_second,
            syn_per_second: self.syn_per_second,
            udp_per_second: self.udp_per_second,
            victim_per_second: self.victim_per_second,
            victim_sources: self.victim_sources,
            arp_claims: self.arp_claims,
            tunnel_queries: self.tunnel_queries,
            tunnel_name_octets: self.tunnel_name_octets,
            taken_addresses: self.taken_addresses,
            echo_answers: self.echo_answers,
            protocols_per_minute: self.protocols_per_minute,
            sprayed_logins: self.sprayed_logins,
            no_such_domains: self.no_such_domains,
            mail_servers: self.mail_servers,
            redirects: self.redirects,
            dhcp_clients: self.dhcp_clients,
            missing_pages: self.missing_pages,
            requests_per_second: self.requests_per_second,
            unfinished_requests: self.unfinished_requests,
            infection_points: self.infection_points,
            infection_points_high: self.infection_points_high,
            spoofed_addresses: self.spoofed_addresses,
            amplified_per_second: self.amplified_per_second,
            failing_per_hour: self.failing_per_hour,
            web_probes: self.web_probes,
            smb_fragments: self.smb_fragments,
            denied_attempts_per_hour: self.denied_attempts_per_hour,
            denied_services_per_hour: self.denied_services_per_hour,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_configuration_detects_with_detections_own_figures() {
        assert_eq!(DetectConfig::default().thresholds(), Thresholds::default());
    }
}
