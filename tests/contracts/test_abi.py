"""Every declaration in Python against the compiled contracts."""

import importlib
import pkgutil
import re
from typing import Any

import pytest

from contracts import bindings
from contracts.calls import Function
from contracts.directory import CONTRACTS, artifact
from contracts.errors import REVERTS
from contracts.events import EVENTS, event_fields, event_signature
from contracts.solidity import camel_case, fields_of
from contracts.typed_data import STRUCTS, TYPES, RotateKey

NAMES = (*CONTRACTS, "Mandate")
BUILT_IN = {"Error(string)", "Panic(uint256)"}
FOREIGN_EVENTS = {
    "Approval",
    "ApprovalForAll",
    "AuthorityUpdated",
    "EIP712DomainChanged",
    "OperationCanceled",
    "OperationExecuted",
    "OperationScheduled",
    "RoleAdminChanged",
    "RoleGrantDelayChanged",
    "RoleGranted",
    "RoleGuardianChanged",
    "RoleLabel",
    "RoleRevoked",
    "TargetAdminDelayUpdated",
    "TargetClosed",
    "TargetFunctionRoleUpdated",
    "Transfer",
    "TransferBatch",
    "URI",
    "Unlocked",
}
"""Of OpenZeppelin and the ERCs: nobody here reads them."""


def entries(kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, entry)
        for name in NAMES
        for entry in artifact(name).abi
        if entry["type"] == kind
    ]


def canonical(param: dict[str, Any]) -> str:
    if not param["type"].startswith("tuple"):
        return str(param["type"])
    members = ",".join(canonical(member) for member in param["components"])
    return f"({members})" + param["type"].removeprefix("tuple")


def signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(canonical(p) for p in entry['inputs'])})"


def declared_functions(name: str) -> list[Function]:
    module = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    found = importlib.import_module(f"contracts.bindings.{module}")
    return [value for value in vars(found).values() if isinstance(value, Function)]


def structs_in(params: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for param in params:
        if param["type"].startswith("tuple"):
            found += [param, *structs_in(param["components"])]
    return found


class TestErrors:
    def test_every_error_has_its_class_and_every_class_its_error(self):
        in_abi = {signature(entry) for _, entry in entries("error")}
        mapped = {declared.SIGNATURE for declared in REVERTS.values()}
        assert mapped == in_abi | BUILT_IN

    def test_arguments_keep_their_names(self):
        by_signature = {c.SIGNATURE: c for c in REVERTS.values()}
        for _, entry in entries("error"):
            declared = by_signature[signature(entry)]
            names = [camel_case(name) for _, name in declared.ARGUMENTS]
            assert names == [param["name"] for param in entry["inputs"]]


class TestEvents:
    def test_every_event_has_its_class(self):
        known = {event_signature(event) for event in EVENTS.values()}
        in_abi = {
            signature(entry)
            for _, entry in entries("event")
            if entry["name"] not in FOREIGN_EVENTS
        }
        assert known == in_abi

    def test_fields_keep_name_order_and_place(self):
        by_signature = {event_signature(event): event for event in EVENTS.values()}
        for _, entry in entries("event"):
            if event := by_signature.get(signature(entry)):
                given = [(m.solidity_name, m.is_indexed) for m in event_fields(event)]
                assert given == [(p["name"], p["indexed"]) for p in entry["inputs"]]


class TestFunctions:
    @pytest.mark.parametrize("name", NAMES)
    def test_every_binding_is_a_function_of_the_contract(self, name: str):
        outputs = {
            signature(entry): [canonical(param) for param in entry["outputs"]]
            for contract, entry in entries("function")
            if contract == name
        }
        for function in declared_functions(name):
            assert function.signature in outputs
            if function.outputs != "()":
                flat = "(" + ",".join(outputs[function.signature]) + ")"
                # One static struct is encoded like its members.
                assert function.outputs in {flat, flat[1:-1]}

    @pytest.mark.parametrize("name", NAMES)
    def test_every_write_of_ours_is_bound(self, name: str):
        bound = {function.signature for function in declared_functions(name)}
        foreign = ("approve", "setApprovalForAll", "safe", "transferFrom")
        ours = {
            signature(entry)
            for contract, entry in entries("function")
            if contract == name != "AccessManager"
            and entry["stateMutability"] == "nonpayable"
            and not entry["name"].startswith(foreign)
            and entry["name"] != "setAuthority"
        }
        assert ours <= bound

    def test_every_binding_class_is_exported(self):
        modules = {m.name for m in pkgutil.iter_modules(bindings.__path__)}
        assert len(bindings.__all__) == len(modules)
        assert {*NAMES, "Contract"} == set(bindings.__all__)


class TestStructs:
    def test_signed_structs_are_those_of_their_contract(self):
        found = {}
        for name, entry in entries("function"):
            for param in structs_in(entry["inputs"]):
                struct = param["internalType"].split(".")[-1].removeprefix("struct ")
                found[struct.removesuffix("[]")] = param["components"]
                if struct in TYPES and entry["name"] not in {
                    "verifyReading",
                    "proveEquivocation",
                }:
                    assert TYPES[struct] == name
        # A rotation is signed by devices and travels as single arguments.
        for struct, declared in STRUCTS.items() - {("RotateKey", RotateKey)}:
            given = [(m.solidity_name, m.type) for m in fields_of(declared)]
            assert given == [(p["name"], canonical(p)) for p in found[struct]]
