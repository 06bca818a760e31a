"""How exploitability, the parts of a score and links are said to people."""

from __future__ import annotations

from typing import Final

__all__ = ["LINK_TEXTS", "PARTS", "VERDICT_TEXTS", "WHY_TEXTS"]

VERDICT_TEXTS: Final = {
    "confirmed": {"en": "confirmed", "zh": "已证实可利用"},
    "plausible": {"en": "plausible", "zh": "可能可利用"},
    "unknown": {"en": "unknown", "zh": "未知"},
    "not_applicable": {"en": "not applicable", "zh": "不适用"},
}

WHY_TEXTS: Final = {
    "found_there": {
        "en": "the last check before it found this weakness on the target",
        "zh": "攻击前最近一次检查在目标上发现该弱点",
    },
    "found_after": {
        "en": "a check after it found this weakness on the target",
        "zh": "攻击后的检查在目标上发现该弱点",
    },
    "found_long_ago": {
        "en": "this weakness was found on the target long ago, and nobody has checked since",
        "zh": "很久以前在目标上发现过该弱点，此后没有再检查",
    },
    "same_class": {
        "en": "another weakness of the same class is open on the target",
        "zh": "目标上存在同类弱点",
    },
    "same_product": {
        "en": "a weakness of the same product is open on the target",
        "zh": "目标上的同一产品存在弱点",
    },
    "same_port": {
        "en": "a weakness of the service that was attacked is open on the target",
        "zh": "被攻击的服务端口存在弱点",
    },
    "not_there": {
        "en": "the target was checked for it, and does not have it",
        "zh": "目标已检查，不存在该弱点",
    },
    "patched": {"en": "the target is patched", "zh": "目标已修补"},
    "check_too_old": {
        "en": "the last check is too old to prove anything",
        "zh": "最近一次检查过旧，不能证明",
    },
    "checked_after": {
        "en": "the target was checked only after the attack",
        "zh": "目标只在攻击之后检查过",
    },
    "not_checked": {
        "en": "nobody has checked the target for it",
        "zh": "目标没有针对该弱点检查过",
    },
    "nothing_known": {
        "en": "no finding is known of the target",
        "zh": "没有该目标的漏洞检查结果",
    },
    "no_weakness_named": {
        "en": "nothing says which weakness was used",
        "zh": "没有信息说明利用了哪个弱点",
    },
}

PARTS: Final = {
    "severity": {"en": "severity", "zh": "严重程度"},
    "confidence": {"en": "confidence", "zh": "可信度"},
    "result": {"en": "result", "zh": "结果"},
    "exploitability": {"en": "exploitability", "zh": "可利用性"},
    "asset": {"en": "asset", "zh": "资产重要性"},
    "spread": {"en": "spread", "zh": "波及范围"},
    "progress": {"en": "progress", "zh": "攻击进程"},
    "bound": {"en": "bound", "zh": "上下限"},
}

LINK_TEXTS: Final = {
    "source": {"en": "the same source", "zh": "相同来源"},
    "target": {"en": "the same target", "zh": "相同目标"},
    "shared": {"en": "the same in all", "zh": "共同出现"},
    "record": {
        "en": "several rules on one record, records",
        "zh": "同一条记录命中多条规则，记录数",
    },
    "rule": {"en": "one rule in one place", "zh": "同一位置的同一规则"},
}
