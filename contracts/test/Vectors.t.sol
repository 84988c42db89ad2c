// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IAccounts} from "../src/interfaces/IAccounts.sol";
import {ICarbonCodes} from "../src/interfaces/ICarbonCodes.sol";
import {ICash} from "../src/interfaces/ICash.sol";
import {IEmissionLedger} from "../src/interfaces/IEmissionLedger.sol";
import {IMandate} from "../src/interfaces/IMandate.sol";
import {IMarket} from "../src/interfaces/IMarket.sol";
import {IQuota} from "../src/interfaces/IQuota.sol";
import {IReadingAnchor} from "../src/interfaces/IReadingAnchor.sol";
import {CompactSignature} from "../src/libraries/CompactSignature.sol";
import {LedgerTest} from "./LedgerTest.sol";
import {Libraries} from "./Libraries.sol";
import {VM} from "./Vm.sol";

/// @dev The same hashes as in Python: both sides read tests/vectors.
contract VectorsTest is LedgerTest {
    string private json;
    Libraries private libraries;

    function setUp() public override {
        super.setUp();
        libraries = new Libraries();
        json = VM.readFile("tests/vectors/typed_data.json");
    }

    /* TYPED DATA */

    function _at(string memory name, string memory field) private pure returns (string memory) {
        return string.concat(".structs.", name, ".", field);
    }

    function _message(string memory name, string memory field) private pure returns (string memory) {
        return _at(name, string.concat("message.", field));
    }

    /// @dev ABI words of a message, in the order of its type string "Name(type field,type field)".
    function _encoded(string memory name) private view returns (bytes memory words) {
        bytes memory text = bytes(VM.parseJsonString(json, _at(name, "type")));
        assertEq(keccak256(text), VM.parseJsonBytes32(json, _at(name, "typeHash")));
        uint256 start = 0;
        for (uint256 i = 0; i < text.length; ++i) {
            if (text[i] == " ") {
                start = i + 1;
            } else if (text[i] == "," || text[i] == ")") {
                words = abi.encodePacked(words, _word(name, _slice(text, start, i)));
            }
        }
    }

    function _slice(bytes memory text, uint256 start, uint256 end) private pure returns (string memory) {
        bytes memory part = new bytes(end - start);
        for (uint256 i = 0; i < part.length; ++i) {
            part[i] = text[start + i];
        }
        return string(part);
    }

    function _word(string memory name, string memory field) private view returns (uint256) {
        bool isSigned = keccak256(bytes(field)) == keccak256("grams");
        if (isSigned) return uint256(VM.parseJsonInt(json, _message(name, field)));
        return VM.parseJsonUint(json, _message(name, field));
    }

    function _assertHash(string memory name, bytes32 structHash) private view {
        assertEq(structHash, VM.parseJsonBytes32(json, _at(name, "structHash")));
        bytes32 digest = _digest(VM.parseJsonAddress(json, ".contract"), structHash);
        assertEq(digest, VM.parseJsonBytes32(json, _at(name, "digest")));
    }

    function test_domain() public view {
        assertEq(block.chainid, VM.parseJsonUint(json, ".chainId"));
        assertEq(_domain(VM.parseJsonAddress(json, ".contract")), VM.parseJsonBytes32(json, ".domainSeparator"));
    }

    function test_instructions_of_accounts() public view {
        bytes memory words = _encoded("ChangeRepresentative");
        _assertHash("ChangeRepresentative", hasher.hash(abi.decode(words, (IAccounts.ChangeRepresentative))));
    }

    function test_instructions_of_mandates() public view {
        IMandate.Call memory c;
        c.target = VM.parseJsonAddress(json, _message("Call", "target"));
        c.data = VM.parseJsonBytes(json, _message("Call", "data"));
        c.nonce = uint64(_word("Call", "nonce"));
        c.deadline = uint64(_word("Call", "deadline"));
        _assertHash("Call", hasher.hash(c));

        IMandate.CallBatch memory b;
        b.targets = VM.parseJsonAddressArray(json, _message("CallBatch", "targets"));
        b.data = VM.parseJsonBytesArray(json, _message("CallBatch", "data"));
        b.nonce = uint64(_word("CallBatch", "nonce"));
        b.deadline = uint64(_word("CallBatch", "deadline"));
        _assertHash("CallBatch", hasher.hash(b));
    }

    function test_rotation_of_carriers() public view {
        _assertHash(
            "RotateKey",
            hasher.hashRotation(
                bytes32(_word("RotateKey", "idHash")),
                uint8(_word("RotateKey", "suite")),
                VM.parseJsonBytes(json, _message("RotateKey", "publicKey")),
                uint64(_word("RotateKey", "fromSeq"))
            )
        );
    }

    function test_instructions_of_the_ledger() public view {
        _assertHash(
            "SubmitStatement", hasher.hash(abi.decode(_encoded("SubmitStatement"), (IEmissionLedger.SubmitStatement)))
        );
        _assertHash(
            "VerifyStatement", hasher.hash(abi.decode(_encoded("VerifyStatement"), (IEmissionLedger.VerifyStatement)))
        );
        _assertHash(
            "ConfirmStatement",
            hasher.hashConfirm(abi.decode(_encoded("ConfirmStatement"), (IEmissionLedger.ConfirmStatement)))
        );
    }

    function test_instructions_of_codes() public view {
        _assertHash(
            "DeclareValueAdded",
            hasher.hash(abi.decode(_encoded("DeclareValueAdded"), (ICarbonCodes.DeclareValueAdded)))
        );
    }

    function test_instructions_of_quota() public view {
        _assertHash("IssueQuota", hasher.hash(abi.decode(_encoded("IssueQuota"), (IQuota.IssueQuota))));
        _assertHash("AllocateQuota", hasher.hash(abi.decode(_encoded("AllocateQuota"), (IQuota.AllocateQuota))));
        _assertHash("SurrenderQuota", hasher.hash(abi.decode(_encoded("SurrenderQuota"), (IQuota.SurrenderQuota))));
        _assertHash("CancelQuota", hasher.hashCancel(abi.decode(_encoded("CancelQuota"), (IQuota.CancelQuota))));
    }

    function test_instructions_of_cash() public view {
        _assertHash("CreditReceipt", hasher.hash(abi.decode(_encoded("CreditReceipt"), (ICash.CreditReceipt))));
        _assertHash("PayoutRequest", hasher.hash(abi.decode(_encoded("PayoutRequest"), (ICash.PayoutRequest))));
        _assertHash("PayoutReceipt", hasher.hash(abi.decode(_encoded("PayoutReceipt"), (ICash.PayoutReceipt))));
    }

    function test_block_trade_by_fields_and_by_words() public view {
        bytes memory words = _encoded("BlockTrade");
        _assertHash("BlockTrade", hasher.hash(abi.decode(words, (IMarket.BlockTrade))));
        _assertHash("BlockTrade", hasher.hashTradeWords(words));
    }

    function test_batch_report_by_fields_and_by_words() public view {
        bytes memory words = _encoded("BatchReport");
        _assertHash("BatchReport", hasher.hash(abi.decode(words, (IReadingAnchor.BatchReport))));
        _assertHash("BatchReport", hasher.hashBatchWords(words));
    }

    function test_other_reports() public view {
        _assertHash(
            "StatementReport", hasher.hash(abi.decode(_encoded("StatementReport"), (IEmissionLedger.StatementReport)))
        );
        _assertHash("CodeReport", hasher.hash(abi.decode(_encoded("CodeReport"), (ICarbonCodes.CodeReport))));
    }

    /* IDENTIFIERS AND SIGNATURES */

    function test_identifiers() public view {
        string memory text = VM.readFile("tests/vectors/ids.json");
        uint256 count = _count(text, "name");
        assertTrue(count > 1);
        for (uint256 i = 0; i < count; ++i) {
            string memory name = VM.parseJsonString(text, _of(i, "name"));
            assertEq(_id(name), VM.parseJsonAddress(text, _of(i, "account")));
            assertEq(
                keccak256(abi.encodePacked("ccl/boundary/v1", name)), VM.parseJsonBytes32(text, _of(i, "boundary"))
            );
            assertEq(keccak256(abi.encodePacked("ccl/stream/v1", name)), VM.parseJsonBytes32(text, _of(i, "stream")));
        }
    }

    function test_compact_signatures() public view {
        string memory text = VM.readFile("tests/vectors/signatures.json");
        uint256 count = _count(text, "digest");
        assertTrue(count > 1);
        for (uint256 i = 0; i < count; ++i) {
            address signer = CompactSignature.recover(
                VM.parseJsonBytes32(text, _of(i, "digest")),
                VM.parseJsonBytes32(text, _of(i, "r")),
                VM.parseJsonBytes32(text, _of(i, "vs"))
            );
            assertEq(signer, VM.parseJsonAddress(text, _of(i, "signer")));
        }
    }

    /* TREES */

    function test_batch_leaves() public view {
        string memory text = VM.readFile("tests/vectors/merkle.json");
        bytes32 streamId = VM.parseJsonBytes32(text, ".streamId");
        uint256 batchSeq = VM.parseJsonUint(text, ".batchSeq");
        for (uint256 i = 0; i < 8; ++i) {
            string memory entry = string.concat(".leaves[", VM.toString(i), "].");
            bytes32 inner = keccak256(
                abi.encode(
                    streamId,
                    batchSeq,
                    VM.parseJsonUint(text, string.concat(entry, "index")),
                    VM.parseJsonBytes32(text, string.concat(entry, "idHash")),
                    VM.parseJsonUint(text, string.concat(entry, "readingSeq")),
                    VM.parseJsonBytes32(text, string.concat(entry, "messageDigest"))
                )
            );
            assertEq(
                keccak256(abi.encodePacked(inner)), VM.parseJsonBytes32(text, string.concat(entry, "leaf"))
            );
        }
    }

    function test_batch_trees() public view {
        string memory text = VM.readFile("tests/vectors/merkle.json");
        for (uint256 i = 0; i < 10; ++i) {
            string memory entry = string.concat(".trees[", VM.toString(i), "].");
            assertTrue(
                MerkleProof.verify(
                    VM.parseJsonBytes32Array(text, string.concat(entry, "path")),
                    VM.parseJsonBytes32(text, string.concat(entry, "root")),
                    VM.parseJsonBytes32(text, string.concat(entry, "leaf"))
                )
            );
        }
    }

    function test_log_inclusion() public view {
        string memory text = VM.readFile("tests/vectors/log.json");
        uint256 count = _count(text, "size");
        assertTrue(count > 10);
        assertEq(sha256(""), VM.parseJsonBytes32(text, _of(0, "root")));
        for (uint256 i = 1; i < count; ++i) {
            assertTrue(
                libraries.verifyInclusion(
                    VM.parseJsonBytes32(text, _of(i, "report")),
                    VM.parseJsonUint(text, _of(i, "index")),
                    VM.parseJsonUint(text, _of(i, "size")),
                    VM.parseJsonBytes32Array(text, _of(i, "path")),
                    VM.parseJsonBytes32(text, _of(i, "root"))
                )
            );
        }
    }

    /* READING */

    function test_signed_reading() public view {
        string memory text = VM.readFile("tests/vectors/reading.json");
        bytes memory message = VM.parseJsonBytes(text, ".message");
        bytes32 idHash = VM.parseJsonBytes32(text, ".idHash");
        (bytes32 hash, uint64 seq, bytes32 r, bytes32 s) =
            libraries.split(message, VM.parseJsonAddress(text, ".carriers"), idHash);

        assertEq(keccak256(bytes(VM.parseJsonString(text, ".identifier"))), idHash);
        assertEq(keccak256(message), VM.parseJsonBytes32(text, ".messageDigest"));
        assertEq(seq, VM.parseJsonUint(text, ".seq"));
        assertEq(hash, VM.parseJsonBytes32(text, ".sigStructureHash"));
        assertEq(bytes(_slice(message, message.length - 64, message.length)), abi.encodePacked(r, s));
    }

    function _of(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".[", VM.toString(index), "].", field);
    }

    /// @dev Number of entries of a list, each of which has the field once.
    function _count(string memory text, string memory field) private pure returns (uint256 count) {
        bytes memory haystack = bytes(text);
        bytes memory needle = abi.encodePacked('"', field, '":');
        for (uint256 i = 0; i + needle.length <= haystack.length; ++i) {
            uint256 j = 0;
            while (j < needle.length && haystack[i + j] == needle[j]) ++j;
            if (j == needle.length) ++count;
        }
    }
}
