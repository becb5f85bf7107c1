//! Names of numbers, as the RFCs write them.

/// TLS alerts (RFC 8446 section 6, RFC 5246 section 7.2).
pub(crate) fn alert_name(number: u8) -> &'static str {
    match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unknown",
    }
}

/// Whether the alert says that the client does not accept the server's certificate.
pub(super) fn blames_our_certificate(alert: u8) -> bool {
    matches!(alert, 42..=46 | 48 | 113)
}

/// EAP methods (IANA's registry of EAP method types).
pub(super) fn eap_method(number: u8) -> String {
    let name = match number {
        0 => "none",
        4 => "EAP-MD5",
        6 => "EAP-GTC",
        13 => "EAP-TLS",
        17 => "LEAP",
        18 => "EAP-SIM",
        21 => "EAP-TTLS",
        23 => "EAP-AKA",
        25 => "PEAP",
        26 => "EAP-MSCHAPv2",
        43 => "EAP-FAST",
        50 => "EAP-AKA'",
        52 => "EAP-pwd",
        55 => "TEAP",
        _ => return number.to_string(),
    };
    format!("{name} ({number})")
}

/// Extended key usages (RFC 5280 section 4.2.1.12), by dotted OID or a name already.
pub(super) fn purpose(oid: &str) -> &str {
    match oid {
        "2.5.29.37.0" => "anyExtendedKeyUsage",
        "1.3.6.1.5.5.7.3.1" => "serverAuth",
        "1.3.6.1.5.5.7.3.2" => "clientAuth",
        "1.3.6.1.5.5.7.3.3" => "codeSigning",
        "1.3.6.1.5.5.7.3.4" => "emailProtection",
        "1.3.6.1.5.5.7.3.8" => "timeStamping",
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning",
        "1.3.6.1.4.1.311.20.2.2" => "smartcardLogon",
        other => other,
    }
}
