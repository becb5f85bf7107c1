//! Numbers that have names: codes, the attribute types that the server itself uses, vendors.

/// A packet's code (RFC 2865 section 4, RFC 5997, RFC 5176, RFC 7930).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub u8);

/// An attribute's type (RFC 2865 section 5 and others). The constants live here, the names in [`dictionary`](super::dictionary).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Type(pub u8);

/// Writes one constant a line, documented by its name in the RFCs.
macro_rules! numbers {
    ($of:ident: $($name:ident = $number:literal $text:literal;)+) => {
        impl $of { $(#[doc = $text] pub const $name: Self = Self($number);)+ }
    };
}

numbers! { Code:
    ACCESS_REQUEST = 1 "Access-Request";
    ACCESS_ACCEPT = 2 "Access-Accept";
    ACCESS_REJECT = 3 "Access-Reject";
    ACCOUNTING_REQUEST = 4 "Accounting-Request";
    ACCOUNTING_RESPONSE = 5 "Accounting-Response";
    ACCESS_CHALLENGE = 11 "Access-Challenge";
    STATUS_SERVER = 12 "Status-Server";
    DISCONNECT_REQUEST = 40 "Disconnect-Request";
    DISCONNECT_ACK = 41 "Disconnect-ACK";
    DISCONNECT_NAK = 42 "Disconnect-NAK";
    COA_REQUEST = 43 "CoA-Request";
    COA_ACK = 44 "CoA-ACK";
    COA_NAK = 45 "CoA-NAK";
    PROTOCOL_ERROR = 52 "Protocol-Error";
}

numbers! { Type:
    USER_NAME = 1 "User-Name";
    USER_PASSWORD = 2 "User-Password";
    CHAP_PASSWORD = 3 "CHAP-Password";
    NAS_IP_ADDRESS = 4 "NAS-IP-Address";
    NAS_PORT = 5 "NAS-Port";
    SERVICE_TYPE = 6 "Service-Type";
    FRAMED_IP_ADDRESS = 8 "Framed-IP-Address";
    FILTER_ID = 11 "Filter-Id";
    FRAMED_MTU = 12 "Framed-MTU";
    REPLY_MESSAGE = 18 "Reply-Message";
    STATE = 24 "State";
    CLASS = 25 "Class";
    VENDOR_SPECIFIC = 26 "Vendor-Specific";
    SESSION_TIMEOUT = 27 "Session-Timeout";
    IDLE_TIMEOUT = 28 "Idle-Timeout";
    TERMINATION_ACTION = 29 "Termination-Action";
    CALLED_STATION_ID = 30 "Called-Station-Id";
    CALLING_STATION_ID = 31 "Calling-Station-Id";
    NAS_IDENTIFIER = 32 "NAS-Identifier";
    PROXY_STATE = 33 "Proxy-State";
    ACCT_STATUS_TYPE = 40 "Acct-Status-Type";
    ACCT_DELAY_TIME = 41 "Acct-Delay-Time";
    ACCT_INPUT_OCTETS = 42 "Acct-Input-Octets";
    ACCT_OUTPUT_OCTETS = 43 "Acct-Output-Octets";
    ACCT_SESSION_ID = 44 "Acct-Session-Id";
    ACCT_SESSION_TIME = 46 "Acct-Session-Time";
    ACCT_TERMINATE_CAUSE = 49 "Acct-Terminate-Cause";
    ACCT_MULTI_SESSION_ID = 50 "Acct-Multi-Session-Id";
    ACCT_INPUT_GIGAWORDS = 52 "Acct-Input-Gigawords";
    ACCT_OUTPUT_GIGAWORDS = 53 "Acct-Output-Gigawords";
    EVENT_TIMESTAMP = 55 "Event-Timestamp";
    CHAP_CHALLENGE = 60 "CHAP-Challenge";
    NAS_PORT_TYPE = 61 "NAS-Port-Type";
    TUNNEL_TYPE = 64 "Tunnel-Type";
    TUNNEL_MEDIUM_TYPE = 65 "Tunnel-Medium-Type";
    TUNNEL_PASSWORD = 69 "Tunnel-Password";
    CONNECT_INFO = 77 "Connect-Info";
    EAP_MESSAGE = 79 "EAP-Message";
    MESSAGE_AUTHENTICATOR = 80 "Message-Authenticator";
    TUNNEL_PRIVATE_GROUP_ID = 81 "Tunnel-Private-Group-ID";
    ACCT_INTERIM_INTERVAL = 85 "Acct-Interim-Interval";
    NAS_PORT_ID = 87 "NAS-Port-Id";
    CHARGEABLE_USER_IDENTITY = 89 "Chargeable-User-Identity (RFC 4372)";
    NAS_IPV6_ADDRESS = 95 "NAS-IPv6-Address";
    FRAMED_IPV6_PREFIX = 97 "Framed-IPv6-Prefix (RFC 3162)";
    ERROR_CAUSE = 101 "Error-Cause (RFC 5176)";
    EAP_KEY_NAME = 102 "EAP-Key-Name (RFC 4072)";
    OPERATOR_NAME = 126 "Operator-Name (RFC 5580)";
    FRAMED_IPV6_ADDRESS = 168 "Framed-IPv6-Address (RFC 6911)";
}

/// Vendors' enterprise numbers, and the types of theirs that the server itself reads or writes.
pub mod vendor {
    /// Cisco
    pub const CISCO: u32 = 9;
    /// Cisco-AVPair, of [`CISCO`]
    pub const CISCO_AVPAIR: u8 = 1;
    /// Microsoft
    pub const MICROSOFT: u32 = 311;
    /// MS-MPPE-Send-Key, of [`MICROSOFT`] (RFC 2548 section 2.4.2)
    pub const MS_MPPE_SEND_KEY: u8 = 16;
    /// MS-MPPE-Recv-Key, of [`MICROSOFT`] (RFC 2548 section 2.4.3)
    pub const MS_MPPE_RECV_KEY: u8 = 17;
    /// Aruba
    pub const ARUBA: u32 = 14823;
    /// Aruba-Essid-Name, of [`ARUBA`]
    pub const ARUBA_ESSID_NAME: u8 = 5;
    /// Ruckus
    pub const RUCKUS: u32 = 25053;
    /// Ruckus-SSID, of [`RUCKUS`]
    pub const RUCKUS_SSID: u8 = 3;
}
