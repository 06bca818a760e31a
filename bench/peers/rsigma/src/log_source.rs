//! The log source of a Windows event, from its channel and event id.
//!
//! rsigma does not work it out from plain events; a user who wants its best speed tags them. The
//! numbers are those of Sysmon's manual and of the Sigma taxonomy. No match may be lost by it: a
//! dimension that is not certain stays unset, which prunes nothing.

use rsigma_parser::LogSource;
use serde_json::Value;

/// A category that no rule has, so that every rule of a category conflicts.
const NO_CATEGORY: Option<&str> = Some("none");

/// The log source to prune rules by.
pub fn of(event: &Value) -> LogSource {
    let channel = event.get("Channel").and_then(Value::as_str).unwrap_or_default();
    let event_id = event.get("EventID").and_then(Value::as_i64).unwrap_or_default();
    let (service, category) = service_and_category(channel, event_id);
    LogSource {
        product: Some("windows".to_owned()),
        service: service.map(str::to_owned),
        category: category.map(str::to_owned),
        ..LogSource::default()
    }
}

fn service_and_category(
    channel: &str,
    event_id: i64,
) -> (Option<&'static str>, Option<&'static str>) {
    match channel {
        "Microsoft-Windows-Sysmon/Operational" => (Some("sysmon"), sysmon_category(event_id)),
        "Security" => (Some("security"), NO_CATEGORY),
        "System" => (Some("system"), NO_CATEGORY),
        "Application" => (Some("application"), NO_CATEGORY),
        "Windows PowerShell" => (Some("powershell-classic"), None),
        "Microsoft-Windows-PowerShell/Operational" => match event_id {
            4103 => (Some("powershell"), Some("ps_module")),
            4104 => (Some("powershell"), Some("ps_script")),
            _ => (Some("powershell"), NO_CATEGORY),
        },
        "Microsoft-Windows-TaskScheduler/Operational" => (Some("taskscheduler"), NO_CATEGORY),
        "Microsoft-Windows-WMI-Activity/Operational" => (Some("wmi"), NO_CATEGORY),
        _ => (None, None),
    }
}

fn sysmon_category(event_id: i64) -> Option<&'static str> {
    match event_id {
        1 => Some("process_creation"),
        2 => Some("file_change"),
        3 => Some("network_connection"),
        5 => Some("process_termination"),
        6 => Some("driver_load"),
        7 => Some("image_load"),
        8 => Some("create_remote_thread"),
        9 => Some("raw_access_thread"),
        10 => Some("process_access"),
        11 => Some("file_event"),
        15 => Some("create_stream_hash"),
        17 | 18 => Some("pipe_created"),
        19..=21 => Some("wmi_event"),
        22 => Some("dns_query"),
        25 => Some("process_tampering"),
        // Registry and deletion ids belong to several categories at once; the rest is rare.
        _ => None,
    }
}
