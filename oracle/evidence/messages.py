"""The verifier's words in Chinese and English.

Names of stages and the frame of the output are translated; subjects of failures stay
as they are, because they name fields, identifiers and numbers.
"""

from collections.abc import Mapping
from typing import Final

from oracle.evidence.stages import Stage

LANGUAGES: Final = ("zh", "en")

STAGE_NAMES: Final[Mapping[str, Mapping[Stage, str]]] = {
    "en": {
        Stage.FORM: "form of the file",
        Stage.TRUST: "chain, contracts and members as trusted",
        Stage.STATEMENT: "statement signed by a quorum",
        Stage.BATCHES: "batches signed by a quorum, one chain, one log",
        Stage.REGISTRY: "carriers proven in the registry",
        Stage.READINGS: "readings signed by their carriers, in their batches",
        Stage.COMPLETENESS: "no reading left out",
        Stage.RULES: "rule sets of the statement",
        Stage.RECOMPUTATION: "recomputation gives the same figure",
        Stage.REPORT: "report says what was recomputed",
    },
    "zh": {
        Stage.FORM: "文件格式",
        Stage.TRUST: "链、合约与成员符合信任文件",
        Stage.STATEMENT: "核算结果经法定数成员签名",
        Stage.BATCHES: "批次经法定数成员签名，首尾相连，日志一致",
        Stage.REGISTRY: "载体登记可证",
        Stage.READINGS: "读数由载体签名且在批次之中",
        Stage.COMPLETENESS: "读数无遗漏",
        Stage.RULES: "规则集与核算结果一致",
        Stage.RECOMPUTATION: "重新计算所得数值相同",
        Stage.REPORT: "报告内容与重新计算一致",
    },
}

OUTCOMES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"passed": "passed", "failed": "FAILED", "not_reached": "not reached"},
    "zh": {"passed": "通过", "failed": "不通过", "not_reached": "未执行"},
}

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Verification of a proof package",
        "file": "File",
        "digest": "SHA-256",
        "stage": "Stage",
        "outcome": "Outcome",
        "found": "Found",
        "accepted": "ACCEPTED: {tonnes} t CO2 from {start} to {end} are proven.",
        "refused": "REFUSED at stage {stage}: {name}.",
        "unconfirmed": "Not confirmed at its source: {item}",
        "notice": "Notice: {item}",
        "failure": "{subject}: expected {expected}, given {given}",
        "limits": (
            "A package proves what carriers signed and what members computed from it. "
            "It cannot prove that a meter measured rightly, nor that no later "
            "restatement exists: ask the ledger for the live statement."
        ),
        "unreadable": "Cannot read {file}: {reason}. Check the path and its rights.",
        "unwritable": "Cannot write {file}: {reason}. Choose another place.",
    },
    "zh": {
        "title": "证据包验证报告",
        "file": "文件",
        "digest": "SHA-256",
        "stage": "步骤",
        "outcome": "结果",
        "found": "所得",
        "accepted": "通过：{start} 至 {end} 的 {tonnes} 吨二氧化碳得到证明。",
        "refused": "拒绝：第 {stage} 步“{name}”不通过。",
        "unconfirmed": "来源未经确认：{item}",
        "notice": "提示：{item}",
        "failure": "{subject}：应为 {expected}，实为 {given}",
        "limits": (
            "证据包证明载体所签读数及成员据此所算结果；不能证明计量器具本身准确，"
            "也不能证明此后没有重述：请向账本查询现行核算结果。"
        ),
        "unreadable": "无法读取 {file}：{reason}。请检查路径与权限。",
        "unwritable": "无法写入 {file}：{reason}。请另选位置。",
    },
}
