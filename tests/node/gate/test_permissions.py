"""The permissions file alone, its versions, and who decides on them."""

import json
from pathlib import Path

import pytest

from node.errors import ConflictPermissionsError, InvalidConfigError
from node.gate.ballots import (
    PermissionFolder,
    add_vote,
    ballot_text,
    collect_votes,
    file_names,
)
from node.gate.drafting import begin, draft_of, propose
from node.gate.permissions import Organisation, Permissions, parse_permissions
from tests.node.gate.conftest import signer_of

CHAIN_ID = 20260
NAMES = ("operator", "identity", "auditor", "regulator")
HEAD = (
    'format = "ccl/permissions/v1"\nchain_id = 20260\nversion = 1\n'
    f'previous = "0x{64 * "0"}"\n'
)
ADDRESS = "0x" + 20 * "aB"


def organisation(name: str, *rights: str, sender: bytes = b"") -> Organisation:
    keys = sorted(
        signer_of(f"{name}-{part}").address.lower() for part in ("first", "second")
    )
    senders = frozenset({sender} if sender else ())
    return Organisation(name, frozenset(rights), tuple(keys), senders, frozenset(), ())


def vote(folder: Path, proposed: Permissions, *names: str) -> None:
    for name in names:
        for part in ("first", "second"):
            add_vote(folder, proposed, signer_of(f"{name}-{part}"))


@pytest.fixture
def first(tmp_path: Path) -> Permissions:
    """Version 1 of four organisations."""
    made = [organisation(name, "read", "send") for name in NAMES]
    return begin(tmp_path, CHAIN_ID, made)


@pytest.fixture
def folder(tmp_path: Path, first: Permissions) -> PermissionFolder:
    return PermissionFolder(tmp_path, first.digest, CHAIN_ID)


@pytest.fixture
def proposed(folder: PermissionFolder, first: Permissions) -> Permissions:
    """Version 2, which leaves the operator out."""
    return propose(folder, first.organisations[1:])


class TestParse:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("x", "is no TOML"),
            ("", "expected format 'ccl/permissions/v1'"),
            (HEAD.replace("v1", "v2") + "organisations = []", "expected format"),
            (HEAD + "organisations = 1", "tables"),
            (HEAD + "organisations = []\nmore = 1", "expected format"),
            (HEAD.replace("n = 1", "n = 0") + "organisations = []", "from 1"),
            (HEAD.replace("0x0", "0xG") + "organisations = []", "hexadecimal"),
            (HEAD + '[[organisations]]\nrights = ["read"]', "has a name"),
            (HEAD + '[[organisations]]\nname = "a"\nrigths = []', "has a name"),
            (HEAD + '[[organisations]]\nname = "a"\nrights = ["all"]', "given all"),
            (HEAD + '[[organisations]]\nname = "a"\nsenders = ["0x1"]', "addresses"),
            (HEAD + '[[organisations]]\nname = "a"\nsenders = "0x1"', "list of texts"),
            (HEAD + f'[[organisations]]\nname = "a"\nkeys = ["{ADDRESS}"]', "two"),
            (HEAD + 2 * '[[organisations]]\nname = "a"\n', "stands with a and again"),
            (
                HEAD + f'[[organisations]]\nname = "a"\nsenders = ["{ADDRESS}"]\n'
                f'[[organisations]]\nname = "b"\nsenders = ["{ADDRESS.lower()}"]',
                "each belongs to one organisation",
            ),
        ],
    )  # fmt: skip
    def test_refuses(self, text: str, words: str):
        with pytest.raises(InvalidConfigError, match=words):
            parse_permissions(text.encode(), "p.toml")

    def test_nobody_has_a_right_that_is_not_named(self, first: Permissions):
        assert first.has_right("auditor", "read")
        assert not first.has_right("auditor", "deploy")
        assert not first.has_right("stranger", "read")

    def test_lists_count_only_with_their_right(self):
        text = (
            f'{HEAD}[[organisations]]\nname = "a"\nsenders = ["{ADDRESS}"]\n'
            'validators = ["NodeID-a"]\nrights = ["read"]\n[[organisations]]\n'
            f'name = "b"\nrights = ["deploy", "validate"]\nvalidators = ["NodeID-b"]\n'
            f'deployers = ["0x{20 * "01"}"]'
        )
        found = parse_permissions(text.encode(), "p.toml")
        assert not found.may_send(bytes.fromhex(ADDRESS[2:]))
        assert found.may_deploy(20 * b"\1")
        assert found.may_send(20 * b"\1")
        assert not found.may_validate("NodeID-a")
        assert found.may_validate("NodeID-b")

    def test_reads_the_draft_of_a_person(self, tmp_path: Path):
        draft = tmp_path / "draft.toml"
        draft.write_text('[[organisations]]\nname = "炼钢"\nrights = ["read"]')
        assert [one.name for one in draft_of(draft)] == ["炼钢"]
        draft.write_text("version = 3\norganisations = []")
        with pytest.raises(InvalidConfigError, match="nothing else, given version"):
            draft_of(draft)


class TestInForce:
    def test_the_first_is_pinned(self, tmp_path: Path, first: Permissions):
        assert PermissionFolder(tmp_path, first.digest, CHAIN_ID).in_force() == first
        with pytest.raises(InvalidConfigError, match="expected 0x1111"):
            PermissionFolder(tmp_path, 32 * b"\x11", CHAIN_ID).in_force()
        with pytest.raises(InvalidConfigError, match="this is chain 1"):
            PermissionFolder(tmp_path, first.digest, 1).in_force()

    def test_one_altered_byte_is_another_file(
        self, tmp_path: Path, folder: PermissionFolder
    ):
        path = tmp_path / file_names(1)[0]
        path.write_bytes(path.read_bytes() + b"\n")
        with pytest.raises(InvalidConfigError, match="has SHA-256"):
            folder.in_force()

    def test_three_of_four_carry_the_next(
        self, tmp_path: Path, folder: PermissionFolder, proposed: Permissions
    ):
        vote(tmp_path, proposed, "auditor", "regulator")
        assert folder.in_force().version == 1
        vote(tmp_path, proposed, "identity")
        assert folder.in_force() == proposed
        assert not proposed.has_right("operator", "send")

    def test_one_person_is_no_vote_of_its_organisation(
        self, tmp_path: Path, folder: PermissionFolder, proposed: Permissions
    ):
        vote(tmp_path, proposed, "auditor", "regulator")
        add_vote(tmp_path, proposed, signer_of("identity-first"))
        ballot = folder.ballot(folder.in_force())
        assert ballot is not None
        assert ballot.agreed == ("auditor", "regulator")
        assert set(ballot.open) == {"operator", "identity"}

    def test_strangers_and_forged_signatures_do_not_count(
        self, tmp_path: Path, folder: PermissionFolder, proposed: Permissions
    ):
        vote(tmp_path, proposed, "auditor", "regulator", "stranger", "other")
        path = tmp_path / file_names(2)[1]
        document = json.loads(path.read_text())
        made = document["signatures"]
        one = made[signer_of("auditor-first").address.lower()]
        for part in ("first", "second"):
            made[signer_of(f"identity-{part}").address.lower()] = one
            made[signer_of(f"operator-{part}").address.lower()] = "0x00"
        path.write_text(json.dumps(document))
        assert folder.in_force().version == 1

    def test_signatures_hold_for_the_bytes_that_were_signed(
        self, tmp_path: Path, folder: PermissionFolder, proposed: Permissions
    ):
        vote(tmp_path, proposed, "auditor", "regulator", "identity")
        path = tmp_path / file_names(2)[0]
        path.write_bytes(path.read_bytes().replace(b'"read", "send"', b'"read"'))
        assert folder.in_force().version == 1

    def test_a_proposal_that_does_not_follow_is_refused(
        self, tmp_path: Path, folder: PermissionFolder, proposed: Permissions
    ):
        path = tmp_path / file_names(2)[0]
        wrong = path.read_text().replace(proposed.previous.hex(), 64 * "1")
        path.write_text(wrong)
        with pytest.raises(InvalidConfigError, match="does not follow version 1"):
            folder.in_force()

    def test_the_new_ones_decide_on_the_version_after(
        self, tmp_path: Path, folder: PermissionFolder, proposed: Permissions
    ):
        vote(tmp_path, proposed, "auditor", "regulator", "identity")
        third = propose(folder, proposed.organisations[:-1])
        vote(tmp_path, third, "operator", "auditor", "identity")
        assert folder.in_force().version == 2
        vote(tmp_path, third, "regulator")
        assert folder.in_force() == third

    def test_never_goes_back_behind_what_was_in_force(
        self, tmp_path: Path, folder: PermissionFolder, proposed: Permissions
    ):
        vote(tmp_path, proposed, "auditor", "regulator", "identity")
        assert folder.in_force().version == 2
        (tmp_path / file_names(2)[1]).unlink()
        with pytest.raises(ConflictPermissionsError, match="version 2 was in force"):
            folder.in_force()

    def test_a_garbled_note_is_refused(self, tmp_path: Path, folder: PermissionFolder):
        folder.in_force()
        (tmp_path / "in-force").write_bytes(b"\xff")
        with pytest.raises(ConflictPermissionsError, match="no longer says"):
            folder.in_force()


class TestPropose:
    def test_the_same_again_changes_nothing(
        self, folder: PermissionFolder, first: Permissions, proposed: Permissions
    ):
        assert propose(folder, first.organisations[1:]) == proposed

    def test_another_one_replaces_what_nobody_signed(
        self, folder: PermissionFolder, first: Permissions, proposed: Permissions
    ):
        assert propose(folder, first.organisations[:2]) != proposed

    def test_another_one_never_replaces_what_somebody_signed(
        self,
        tmp_path: Path,
        folder: PermissionFolder,
        first: Permissions,
        proposed: Permissions,
    ):
        add_vote(tmp_path, proposed, signer_of("auditor-first"))
        with pytest.raises(InvalidConfigError, match="has signatures"):
            propose(folder, first.organisations[:2])

    def test_nobody_left_to_decide_is_refused(self, folder: PermissionFolder):
        alone = Organisation(
            "a", frozenset(), (), frozenset(), frozenset(), ()
        )  # without keys
        with pytest.raises(InvalidConfigError, match="nobody could decide"):
            propose(folder, [alone])

    def test_the_first_is_written_once(self, tmp_path: Path, first: Permissions):
        with pytest.raises(InvalidConfigError, match="exists already"):
            begin(tmp_path, CHAIN_ID, first.organisations)

    def test_signatures_made_elsewhere_are_collected(
        self,
        tmp_path: Path,
        folder: PermissionFolder,
        proposed: Permissions,
    ):
        vote(tmp_path, proposed, "auditor")
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        vote(elsewhere, proposed, "identity", "regulator")
        brought = elsewhere / file_names(2)[1]
        text = brought.read_text().replace("}", ',"0x00": "0x00"}', 1)
        brought.write_text(text)
        assert collect_votes(tmp_path, proposed, brought) == 4
        assert folder.in_force() == proposed

    def test_the_sentence_names_all_that_is_agreed(self, proposed: Permissions):
        text = ballot_text(proposed)
        for fact in ("20260", "version 2", proposed.digest.hex()):
            assert fact in text
        assert proposed.previous.hex() in text
