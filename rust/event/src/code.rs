//! The one table of fault kinds: a number for people, a name for programs and metrics.
//!
//! Numbers: 1xxx input and parsing, 2xxx rules and packs, 3xxx events and stores, 4xxx use of the
//! command line and configuration, 5xxx the evidence log. A number is never given twice and never changes its meaning.

/// One kind of fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// For people: `BS2104`. Has a section in `docs/reference/errors.md`.
    pub number: &'static str,
    /// For programs and metrics: `rule.unknown_modifier`.
    pub name: &'static str,
    /// What it means and what usually mends it, in one or two sentences.
    pub about: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $number:literal $name:literal $about:literal;)*) => {
        /// One constant a kind of fault.
        pub mod codes {
            use super::Code;
            $(
                #[doc = $about]
                pub const $constant: &Code = &Code { number: $number, name: $name, about: $about };
            )*
        }
        /// All kinds of fault, in order of their numbers.
        pub const CODES: &[&Code] = &[$(codes::$constant),*];
    };
}

codes! {
    PARSE_NO_DECODER = "BS1001" "parse.no_decoder"
        "No decoder could read the record. It stays an event with parser `none` and its text; name the format with --format, or add a parser pack.";
    PARSE_TRUNCATED = "BS1002" "parse.truncated"
        "The record ends before its structure does (a JSON object without its end, a quote never closed). The writer was cut off, or the line was.";
    PARSE_MALFORMED = "BS1003" "parse.malformed"
        "The record is not what its format demands at the place named. It stays an event with parser `none` and its text.";
    PARSE_TOO_DEEP = "BS1004" "parse.too_deep"
        "The record nests deeper than 64 levels. It stays an event with parser `none` and its text.";
    PARSE_ENCODING = "BS1005" "parse.encoding"
        "The record is neither UTF-8 nor GB18030. Bytes that fit neither are shown as U+FFFD; the raw bytes stay readable by event id.";
    PARSE_TOO_MANY_FIELDS = "BS1006" "parse.too_many_fields"
        "The record has more fields than the limit. It stays an event with parser `none` and its text.";
    PARSE_DEFECT = "BS1007" "parse.defect"
        "A defect of the program at this record. It stays in the evidence log; report it with the record, so that it can be mended.";
    INPUT_NOT_FOUND = "BS1101" "input.not_found"
        "No file or folder stands at the path, or the pattern matched nothing. Check the spelling.";
    INPUT_DENIED = "BS1102" "input.denied"
        "The file or folder may not be read by this user. Run as a user who may, or change its permissions.";
    INPUT_BROKEN = "BS1103" "input.broken"
        "Reading failed part-way. What was read before the fault has been processed.";
    INPUT_CUT_SHORT = "BS1104" "input.cut_short"
        "The compressed file ends before its stream does, or is damaged. What could be decompressed has been processed.";
    INPUT_RECORD_TOO_LONG = "BS1105" "input.record_too_long"
        "The record is longer than the limit; it goes on in further records marked `continued`.";
    INPUT_EMPTY = "BS1106" "input.empty"
        "The file holds no record. If it should, check the writer.";
    INPUT_SYMLINK_LOOP = "BS1107" "input.symlink_loop"
        "A link leads back to a folder that is already being read. It was not followed.";
    INPUT_RATIO = "BS1108" "input.ratio"
        "The compressed file grows more than 500 times, the first 16 MiB aside: no log does, only a file made to fill memory. What was decompressed up to there has been processed. A body sent over HTTP may grow 100 times (`body_ratio_max`): a log of equal lines in a file shrinks more than that.";
    RULE_YAML = "BS2101" "rule.yaml"
        "The file is not YAML at the place named. Mend the syntax there.";
    RULE_BUDGET = "BS2102" "rule.budget"
        "The file is larger, deeper or has more aliases than a rule may. Split it, or write the values out.";
    RULE_STRUCTURE = "BS2103" "rule.structure"
        "A part of the rule is missing or is not of the type that Sigma demands.";
    RULE_UNKNOWN_MODIFIER = "BS2104" "rule.unknown_modifier"
        "The modifier is not one that Sigma has. Check the spelling.";
    RULE_MODIFIER_USE = "BS2105" "rule.modifier_use"
        "The modifier does not fit the value or the modifiers before it.";
    RULE_CONDITION = "BS2106" "rule.condition"
        "The condition cannot be read at the place named.";
    RULE_UNKNOWN_SELECTION = "BS2107" "rule.unknown_selection"
        "The condition names a selection that the rule does not have, or a pattern that fits none.";
    RULE_REGEX = "BS2108" "rule.regex"
        "The regular expression is invalid, too large, or uses look-around or back-references, which have no linear-time form.";
    RULE_VALUE = "BS2109" "rule.value"
        "The value does not fit its field or modifier (a network, a number, a base64 form).";
    RULE_DUPLICATE_ID = "BS2110" "rule.duplicate_id"
        "Two rules have the same id. The first is kept; give the second its own.";
    RULE_UNSUPPORTED = "BS2111" "rule.unsupported"
        "The rule uses a part of Sigma that this version lacks. It was left out.";
    RULE_NONE = "BS2112" "rule.none"
        "No rule could be loaded, so nothing can be detected. Check the path and the problems listed.";
    RULE_UNROUTED = "BS2113" "rule.unrouted"
        "No log source of the routing table fits the rule's `logsource`. The rule is tried on every event that no other log source claims.";
    RULE_PLACEHOLDER = "BS2114" "rule.placeholder"
        "The rule has a placeholder without values. Give it values, or leave the rule out.";
    RULE_REFERENCE = "BS2115" "rule.reference"
        "A correlation names a rule, or a field of one, that is not there. Load the rule too, or mend the name.";
    PACK_INVALID = "BS2201" "pack.invalid"
        "The parser pack cannot be read at the place named.";
    PACK_UNKNOWN_COLUMN = "BS2202" "pack.unknown_column"
        "The pack maps a field to a column that the event schema does not have, or that is filled by the platform itself.";
    PACK_SAMPLE = "BS2203" "pack.sample"
        "A sample of the pack did not parse to what stands beside it.";
    PACK_UNKNOWN_DECODER = "BS2204" "pack.unknown_decoder"
        "The pack names a decoder that does not exist.";
    INDICATOR_INVALID = "BS2301" "indicator.invalid"
        "The row is no indicator: its value does not fit its kind, or the kind is not known. The other rows were taken.";
    INDICATOR_TOO_WIDE = "BS2302" "indicator.too_wide"
        "The indicator would hit everybody, or no machine at all, so it was not taken. The other rows were.";
    INDICATOR_NONE = "BS2303" "indicator.none"
        "No indicator could be loaded, so there is nothing to look for.";
    EVENT_UNKNOWN_FIELD_MAP = "BS3001" "event.unknown_field_map"
        "The batch names a field map that neither it nor the loaded packs have. Load the packs that made it.";
    EVENT_SCHEMA = "BS3002" "event.schema"
        "The data is not in the event schema, or is of a newer version of it.";
    STORE_VERSION = "BS3101" "store.version"
        "The store was written by a newer version. Upgrade; nothing was changed.";
    STORE_LOCKED = "BS3102" "store.locked"
        "Another process is writing to the output folder. Wait for it, or name another folder.";
    STORE_FULL = "BS3103" "store.full"
        "The disk is full. What stood in the output folder before is unchanged; free space and run again.";
    STORE_NOT_FOUND = "BS3104" "store.not_found"
        "No store stands in the folder. Make one with `bigsec scan … --output DIR`.";
    STORE_BROKEN = "BS3105" "store.broken"
        "The store cannot be read. Move it aside and scan again: it is a view and can be rebuilt.";
    NOT_FOUND = "BS3106" "store.no_such_thing"
        "Nothing has the id that was asked for.";
    QUERY_INVALID = "BS3201" "query.invalid"
        "A filter over events cannot be understood at the column named. The message says what is meant there.";
    LAKE_VERSION = "BS3202" "lake.version"
        "A newer version of bigsec wrote this lake. Use that version.";
    LAKE_BROKEN = "BS3203" "lake.broken"
        "The lake's catalogue or one of its files cannot be read or written. The evidence log has all records: remove the lake and let it be filled anew.";
    LAKE_LIMIT = "BS3204" "lake.limit"
        "The query needed more time or memory than a query may. Ask for a shorter time, or with a narrower filter.";
    LAKE_NONE = "BS3205" "lake.none"
        "No lake stands in the folder. A sink of type `lake` or `bigsec lake fill` makes one.";
    USAGE = "BS4001" "usage"
        "The command line cannot be understood. See --help.";
    STREAM_CONSUMED = "BS4002" "stream.consumed"
        "The stream was already read. Open it again.";
    TIME_ZONE = "BS4003" "usage.time_zone"
        "The time zone is not known. Use an IANA name such as Asia/Shanghai, or an offset such as +08:00.";
    FORMAT_UNKNOWN = "BS4004" "usage.format"
        "No parser pack or decoder has that name.";
    MISSING_EXTRA = "BS4005" "usage.missing_extra"
        "The function needs a package that is not installed.";
    API_NO_TOKEN = "BS4101" "api.no_token"
        "The request carries no token or session that holds. Make a token with `bigsec token create`.";
    API_FOREIGN = "BS4102" "api.foreign"
        "A request that changes something came from another site. It was not carried out.";
    API_TOO_LARGE = "BS4103" "api.too_large"
        "The request is larger than any that fits here.";
    API_TOO_SLOW = "BS4104" "api.too_slow"
        "The answer would take too long. Ask for less: a shorter time, a level.";
    API_MISDIRECTED = "BS4105" "api.misdirected"
        "The request was meant for another host, or came through a proxy. Make a token, and name the host.";
    API_NO_PAGE = "BS4106" "api.no_page"
        "Nothing stands at this address.";
    API_METHOD = "BS4107" "api.method"
        "The address does not take this method.";
    API_DEFECT = "BS4108" "api.defect"
        "A defect of bigsec itself; its log has the details under the request's id.";
    API_PORT = "BS4109" "api.port"
        "The server cannot listen at the address and port. Name another with --port.";
    CONFIG_INVALID = "BS4201" "config.invalid"
        "The configuration has a value that cannot be used. Mend it at the place named; a running daemon keeps the old one.";
    CONFIG_UNREADABLE = "BS4202" "config.unreadable"
        "A file of the configuration, or one that it names, cannot be read. Check the path and its permissions.";
    CONFIG_SYNTAX = "BS4203" "config.syntax"
        "The configuration file is not TOML at the place named. Mend the syntax there.";
    CONFIG_UNKNOWN_KEY = "BS4204" "config.unknown_key"
        "No section has a key of that name. Unknown keys are never passed over: a misspelt limit would be no limit.";
    CONFIG_BAD_VALUE = "BS4205" "config.bad_value"
        "The value is not of the kind, or not in the range, that the key takes.";
    CONFIG_MISSING_KEY = "BS4206" "config.missing_key"
        "A key without a default is missing.";
    CONFIG_SECRET = "BS4207" "config.secret"
        "A secret stands in the configuration, or the file that holds it can be read by others. Secrets stand in files of their own, named by `…_file`.";
    CONFIG_CONTRADICTION = "BS4208" "config.contradiction"
        "Two values cannot go together, such as two sources at one address.";
    DAEMON_AWAY = "BS4209" "daemon.away"
        "No daemon answers at the address. Start it with `bigsec run`, or name the configuration it runs with.";
    DAEMON_STATE = "BS4210" "daemon.state"
        "A part of the daemon's state is damaged. The file was moved aside, or, where that was not possible, nothing was changed and the daemon does not start.";
    SOURCE_START = "BS4211" "daemon.source_start"
        "A source cannot start with its settings: a port that is taken, a file that cannot be read. A running daemon keeps the old sources.";
    LOG_IO = "BS5001" "log.io"
        "A file of the evidence log could not be read or written. Check the disk and the permissions; nothing unflushed was acknowledged.";
    LOG_FULL = "BS5002" "log.full"
        "The disk of the evidence log is full. Intake waits and goes on by itself once there is space; nothing acknowledged is lost.";
    LOG_LOCKED = "BS5003" "log.locked"
        "Another process writes to the evidence log. Stop it, or name another folder.";
    LOG_NONE = "BS5004" "log.none"
        "No evidence log stands in the folder. Check the path.";
    LOG_NEWER = "BS5005" "log.newer"
        "The evidence log was written by a newer version. Upgrade; nothing was changed.";
    LOG_OTHER = "BS5006" "log.other"
        "The folder holds an evidence log of another name or id than the one that was asked for.";
    LOG_NAME = "BS5007" "log.name"
        "The text cannot name an evidence log: 1 to 255 bytes, without `+`, line breaks and control characters.";
    LOG_DAMAGED = "BS5008" "log.damaged"
        "A part of the evidence log is damaged. What is readable stays readable, and new records go to a new segment; `bigsec verify` names each place.";
    LOG_NO_RECORD = "BS5009" "log.no_record"
        "The evidence log does not hold the record: it was never written, was lost, or has been deleted after its retention.";
    LOG_UNSIGNED = "BS5010" "log.unsigned"
        "The evidence log has no signing key, so no checkpoint can be made. Make one with `bigsec evidence keygen`.";
    LOG_KEEPER = "BS5901" "log.keeper"
        "Checkpoints cannot be sent off the host. Records are still kept; what root rewrites after the last one that left would not be caught. See that the keeper can be reached.";
    LOG_KEY = "BS5902" "log.key"
        "A key cannot be used: its file may be read by others, is no key, or the text is no verifier key. Make one with `bigsec evidence keygen`.";
    LOG_CHECKPOINT = "BS5903" "log.checkpoint"
        "A checkpoint from outside the log cannot be read. It is the text of one signed note, as the second keeper has it.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_given_once_and_in_order() {
        for pair in CODES.windows(2) {
            assert!(pair[0].number < pair[1].number, "{} {}", pair[0].number, pair[1].number);
        }
        let mut names: Vec<_> = CODES.iter().map(|code| code.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CODES.len());
    }
}
