"""Why one of an incident's four answers is missing."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["REASONS", "Reason"]

Reason = Literal[
    "no_actor_in_events", "no_technique_in_rules", "no_asset_in_events", "no_cve_in_rules"
]

REASONS: Final[dict[Reason, dict[str, str]]] = {
    "no_actor_in_events": {
        "en": "unknown: no event names an address or account that acted",
        "zh": "未知：事件中没有发起方的地址或账号",
    },
    "no_technique_in_rules": {
        "en": "unknown: the rules that fired name no ATT&CK technique",
        "zh": "未知：命中的规则没有标注 ATT&CK 技术",
    },
    "no_asset_in_events": {
        "en": "unknown: no event names a host, address or account that was acted on",
        "zh": "未知：事件中没有受影响的主机、地址或账号",
    },
    "no_cve_in_rules": {
        "en": "unknown: the rules that fired name no CVE, and no finding is known here",
        "zh": "未知：命中的规则没有标注 CVE，也没有已知的漏洞发现",
    },
}
