//! What vendors call the things that ECS has a name for, where the event schema has no column for
//! them or the record's pack names none.
//!
//! A field is known by its name or by how its dotted name ends (`request.client_ip`), in any
//! spelling: case, dots, underscores, dashes and blanks do not count. A value that cannot be such a
//! thing is not taken.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use crate::shape;

/// By the name in ECS, what it is called elsewhere.
const SYNONYMS: &[(&str, &[&str])] = &[
    (
        "source.ip",
        &[
            "attackerip",
            "callerip",
            "calleripaddress",
            "callingstationid",
            "clientaddr",
            "clientaddress",
            "clientip",
            "clientipaddress",
            "cip",
            "ipsrc",
            "ipv4srcaddr",
            "ipv6srcaddr",
            "logincurrentip",
            "originip",
            "remoteaddr",
            "requestip",
            "senderclientip",
            "senderip",
            "sourceaddress",
            "sourceip",
            "sourceipaddress",
            "srcaddr",
            "srcip",
            "userip",
        ],
    ),
    (
        "destination.ip",
        &[
            "destaddress",
            "destinationaddress",
            "destinationip",
            "destinationipaddress",
            "destip",
            "dstaddr",
            "dstip",
            "ipdst",
            "ipv4dstaddr",
            "ipv6dstaddr",
            "remoteip",
            "responderip",
            "rip",
            "serverip",
            "targetip",
            "victimip",
        ],
    ),
    ("source.port", &["clientport", "cpt", "l4srcport", "localport", "sourceport", "srcport"]),
    (
        "destination.port",
        &["destinationport", "destport", "dstport", "l4dstport", "remoteport", "serverport"],
    ),
    ("source.mac", &["clientmac", "smac", "sourcemac", "srcmac"]),
    ("destination.mac", &["destinationmac", "destmac", "dmac", "dstmac"]),
    (
        "source.domain",
        &[
            "clienthostname",
            "helo",
            "sourcehost",
            "sourcehostname",
            "sourceipaddress",
            "srchost",
            "srchostname",
            "srcip",
            "cip",
        ],
    ),
    (
        "destination.domain",
        &[
            "destinationhost",
            "destinationhostname",
            "desthost",
            "dsthost",
            "dsthostname",
            "dstip",
            "serverhostname",
        ],
    ),
    (
        "source.nat.ip",
        &[
            "natdsourceip",
            "natinitiatorip",
            "natsource",
            "natsourceaddress",
            "natsourceip",
            "natsrc",
            "natsrcip",
            "newconnsrcip",
            "sourcetranslatedaddress",
            "srcmappedhost",
            "srcpostnat",
            "translatedsrcip",
            "transip",
            "transrcip",
            "xlatesrc",
        ],
    ),
    (
        "destination.nat.ip",
        &[
            "destinationtranslatedaddress",
            "dstmappedhost",
            "natdestination",
            "natdestinationaddress",
            "natdestinationip",
            "natdst",
            "natdstip",
            "natresponderip",
            "newconndestip",
            "translateddstip",
            "trandstip",
            "xlatedst",
        ],
    ),
    (
        "source.bytes",
        &["bytesout", "bytessent", "clientbytes", "initiatorbytes", "sentbytes", "srcbytes"],
    ),
    (
        "destination.bytes",
        &[
            "bytesin",
            "bytesreceived",
            "dstbytes",
            "rcvdbytes",
            "receivedbytes",
            "recvbytes",
            "responderbytes",
            "serverbytes",
        ],
    ),
    (
        "user.name",
        &[
            "accountname",
            "actoralternateid",
            "loginname",
            "performedbyname",
            "samaccountname",
            "subjectusername",
            "useroriginator",
            "username",
            "usernamelookup",
            "userprincipalname",
        ],
    ),
    (
        "user.id",
        &[
            "accountobjectid",
            "actorid",
            "actorprofileid",
            "loginid",
            "subjectusersid",
            "useridentifier",
            "userid",
            "usersid",
        ],
    ),
    (
        "user.domain",
        &["accountdomain", "logondomain", "subjectdomainname", "userdomain", "userdomainlookup"],
    ),
    (
        "user.email",
        &[
            "accountupn",
            "actoremail",
            "email",
            "emailaddress",
            "targetresourcesuserprincipalname",
            "mailaddress",
            "upn",
            "useremail",
            "userprincipalname",
        ],
    ),
    (
        "host.name",
        &[
            "agentcomputername",
            "agenthostname",
            "analyzerhostname",
            "computerfqdn",
            "computername",
            "devicehostname",
            "devicename",
            "dvchost",
            "endpointname",
            "hosthostname",
            "hostname",
            "machinename",
        ],
    ),
    (
        "host.ip",
        &[
            "agentipaddress",
            "deviceip",
            "deviceexternalip",
            "devicelocalip",
            "hostip",
            "localip",
            "machineinfoipaddress",
        ],
    ),
    (
        "process.name",
        &[
            "actorprocessimagename",
            "imagename",
            "initiatingprocessfilename",
            "pamservice",
            "process",
            "processname",
        ],
    ),
    (
        "process.pid",
        &[
            "actorprocessospid",
            "executionprocessid",
            "initiatingprocessid",
            "processid",
            "processpid",
            "sourceprocessinfopid",
        ],
    ),
    (
        "process.command_line",
        &[
            "actorprocesscommandline",
            "cmddata",
            "cmdline",
            "command",
            "commandline",
            "initiatingprocesscommandline",
            "processcmdline",
            "processcommandline",
        ],
    ),
    (
        "process.executable",
        &[
            "actorprocessimagepath",
            "imagepath",
            "processexecutable",
            "processfilepath",
            "processimagepath",
            "processpath",
        ],
    ),
    ("file.name", &["filename", "targetfilename"]),
    ("file.path", &["filepath", "targetfilepath"]),
    (
        "file.hash.md5",
        &["filehashmd5", "filemd5", "hashesmd5", "md5", "md5hash", "md5hashdata", "md5string"],
    ),
    (
        "file.hash.sha1",
        &[
            "filehashsha1",
            "filesha1",
            "hashessha1",
            "sha1",
            "sha1hash",
            "sha1hashdata",
            "sha1string",
        ],
    ),
    (
        "file.hash.sha256",
        &[
            "filehashsha256",
            "filesha256",
            "hashessha256",
            "sha256",
            "sha256hash",
            "sha256hashdata",
            "sha256string",
            "sha256sum",
        ],
    ),
    ("url.original", &["requesturi", "requesturl", "url"]),
    ("url.path", &["curipathquery", "csuripath", "requestedpath", "requestpath", "urlpath"]),
    (
        "url.domain",
        &[
            "hostheader",
            "referencedhost",
            "requestedhost",
            "requesthost",
            "requesthostname",
            "urlhost",
        ],
    ),
    (
        "http.request.method",
        &["csmethod", "httpaction", "httpmethod", "httprequestmethod", "requestmethod"],
    ),
    (
        "http.response.status_code",
        &[
            "httpcode",
            "httpresponsecode",
            "httpstatus",
            "httpstatuscode",
            "responsecode",
            "responsestatuscode",
            "statuscode",
        ],
    ),
    (
        "http.request.referrer",
        &["csreferer", "httpreferer", "httpreferrer", "referer", "refererurl", "referrer"],
    ),
    (
        "user_agent.original",
        &[
            "clientuseragent",
            "csuseragent",
            "httpuseragent",
            "useragent",
            "useragentheader",
            "useragentstring",
        ],
    ),
    ("network.transport", &["connipproto", "ipproto", "ipprotocol", "l4protocol", "transport"]),
    ("network.protocol", &["applicationprotocol", "appprotocol", "l7protocol"]),
    (
        "rule.name",
        &[
            "accesscontrolrulename",
            "attackname",
            "policyname",
            "ruleinfoname",
            "rulename",
            "signaturename",
        ],
    ),
    (
        "rule.id",
        &["deviceeventclassid", "policyid", "ruleid", "ruleinfoid", "ruleuuid", "signatureid"],
    ),
    (
        "event.action",
        &["actiontype", "activityname", "eventaction", "eventname", "eventtype", "eventtypename"],
    ),
    ("event.code", &["eventcode", "eventid", "fortinetfortigatelogid", "ftntfgtlogid"]),
    ("dns.question.name", &["dnsqname", "dnsquery", "qname", "queryname", "questionname"]),
    ("email.from.address", &["fromaddress", "mailfrom", "senderaddress", "senderfromaddress"]),
    ("email.to.address", &["rcptto", "recipientaddress", "recipients", "toaddress"]),
    ("email.subject", &["emailsubject", "messagesubject", "mailsubject"]),
];

/// Names that a value may have although a column holds it under another.
pub(crate) const SECOND: [&str; 2] = ["user.email", "rule.id"];

/// Whether a field holds the rule of a firewall by which it judged, beside what it found.
pub(crate) fn is_security_rule(name: &str) -> bool {
    spelt(name) == "securityrule"
}

/// For each spelling the names in ECS that it may stand for, in their order.
static BY_SPELLING: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let mut known: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, spellings) in SYNONYMS {
        for spelling in *spellings {
            known.entry(spelling).or_default().push(name);
        }
    }
    known
});

/// Longer names are not looked at.
const NAME_MAX: usize = 128;

/// The names in ECS that a field may stand for: those of the longest ending that is known.
pub(crate) fn of(name: &str) -> &'static [&'static str] {
    if name.len() > NAME_MAX {
        return &[];
    }
    let mut rest = name;
    loop {
        if let Some(names) = BY_SPELLING.get(spelt(rest).as_str()) {
            // What is said of somebody else does not count.
            let before = name[..name.len() - rest.len()].to_ascii_lowercase();
            let is_other =
                ["parent", "target", "owner", "child"].iter().any(|w| before.contains(w));
            return if is_other { &[] } else { names };
        }
        let Some((_, behind)) = rest.split_once('.') else { return &[] };
        rest = behind;
    }
}

fn spelt(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a value can be what a name in ECS is for.
pub(crate) fn can_be(name: &str, text: &str) -> bool {
    let part = name.rsplit('.').next().unwrap_or(name);
    let is_number = || !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match part {
        _ if ["", "-", "unknown", "N/A", "none", "null"].contains(&text) => false,
        "ip" => text.parse::<IpAddr>().is_ok(),
        "port" => text.parse::<u16>().is_ok(),
        "bytes" | "pid" => is_number(),
        "status_code" => is_number() && text.len() == 3,
        "method" => text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
        "mac" => {
            text.len() >= 12 && text.bytes().all(|b| b.is_ascii_hexdigit() || b"-:.".contains(&b))
        }
        "md5" | "sha1" | "sha256" => shape::hash_kind(text) == Some(part),
        "email" => !text.contains(' '),
        "address" => text.contains('@'),
        "domain" if name != "user.domain" => {
            text.parse::<IpAddr>().is_err() && !text.contains([' ', '/'])
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_any_spelling_and_by_its_end() {
        for name in ["client_ip", "ClientIP", "request.client.ip", "json.data.client-ip"] {
            assert_eq!(of(name), ["source.ip"], "{name}");
        }
        assert_eq!(of("user_principal_name"), ["user.name", "user.email"]);
        for name in ["process.parent.command_line", "target.user_name", "ip", "nothing.known"] {
            assert!(of(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_spelling_stands_once_below_a_name() {
        for (name, spellings) in SYNONYMS {
            for spelling in *spellings {
                assert_eq!(spelt(spelling), *spelling);
                let count = spellings.iter().filter(|other| other == &spelling).count();
                assert_eq!(count, 1, "{spelling} of {name}");
            }
        }
    }

    #[test]
    fn what_cannot_be_is_not_taken() {
        for (name, text, can) in [
            ("source.ip", "192.0.2.7", true),
            ("source.ip", "host", false),
            ("source.domain", "192.0.2.7", false),
            ("source.port", "70000", false),
            ("user.email", "li wei", false),
            ("http.response.status_code", "200", true),
            ("http.response.status_code", "0", false),
            ("file.hash.md5", "44d88612fea8a8f36de82e1278abb02f", true),
            ("file.hash.sha1", "44d88612fea8a8f36de82e1278abb02f", false),
        ] {
            assert_eq!(can_be(name, text), can, "{name} {text}");
        }
    }
}
