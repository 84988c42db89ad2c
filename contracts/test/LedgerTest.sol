// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IAccounts} from "../src/interfaces/IAccounts.sol";
import {ICarbonCodes} from "../src/interfaces/ICarbonCodes.sol";
import {ICarriers} from "../src/interfaces/ICarriers.sol";
import {ICash} from "../src/interfaces/ICash.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IEmissionLedger} from "../src/interfaces/IEmissionLedger.sol";
import {IMandate} from "../src/interfaces/IMandate.sol";
import {IMarket} from "../src/interfaces/IMarket.sol";
import {IQuota} from "../src/interfaces/IQuota.sol";
import {IReadingAnchor} from "../src/interfaces/IReadingAnchor.sol";
import {IRulebook} from "../src/interfaces/IRulebook.sol";
import {APPROVE, Attestation, INITIATE, Kind, Signatures} from "../src/interfaces/Types.sol";
import {Hasher} from "./Hasher.sol";
import {TestBase} from "./TestBase.sol";
import {VM} from "./Vm.sol";

/// @dev A whole ledger with five organisations and four members; this contract holds every governance role.
abstract contract LedgerTest is TestBase {
    uint64 internal constant REGULATOR_ROLE = 1;
    uint64 internal constant IDENTITY_ROLE = 2;

    /// @dev Tuesday, 5 March 2024, 14:00 local time: a block session.
    uint64 internal constant NOW = 1_709_618_400;
    uint64 internal constant DEADLINE = NOW + 1 days;
    uint16 internal constant VINTAGE = 2024;
    uint128 internal constant BLOCK = 100_000;
    uint128 internal constant PRICE = 8000;
    bytes32 internal constant STREAM = keccak256("ccl/stream/v1park");
    bytes32 internal constant BOUNDARY = keccak256("ccl/boundary/v1alpha");
    bytes internal constant CONTENT = "{}";
    uint256 internal constant CARRIER_KEY = 7;
    string internal constant IDENTIFIER = "88.100.1/meter-1";

    IAccessManager internal manager;
    IDirectory internal directory;
    IAccounts internal accounts;
    IRulebook internal rulebook;
    ICarriers internal carriers;
    IReadingAnchor internal anchor;
    IEmissionLedger internal ledger;
    ICarbonCodes internal codes;
    IQuota internal quota;
    ICash internal cash;
    IMarket internal market;
    Hasher internal hasher;

    address internal alpha;
    address internal beta;
    address internal verifier;
    address internal regulator;
    address internal bank;
    string[4] internal memberNames = ["member park", "member platform", "member verifier", "member regulator"];

    function setUp() public virtual {
        VM.chainId(20_260);
        VM.warp(NOW);
        VM.roll(1000);
        _deploy();
        _wire();
        alpha = _open("alpha", Kind.Enterprise);
        beta = _open("beta", Kind.Enterprise);
        verifier = _open("verifier", Kind.Verifier);
        regulator = _open("regulator", Kind.Regulator);
        bank = _open("bank", Kind.Bank);
        _configure();
    }

    /* DEPLOYMENT */

    function _deploy() private {
        hasher = new Hasher();
        manager = IAccessManager(_create("AccessManager", abi.encode(address(this))));
        directory = IDirectory(_create("Directory", abi.encode(manager)));
        accounts = IAccounts(_create("Accounts", abi.encode(manager)));
        rulebook = IRulebook(_create("Rulebook", abi.encode(manager)));
        carriers = ICarriers(_create("Carriers", abi.encode(manager, accounts)));
        anchor = IReadingAnchor(_create("ReadingAnchor", abi.encode(manager, carriers)));
        ledger = IEmissionLedger(_create("EmissionLedger", abi.encode(manager, accounts, anchor)));
        codes = ICarbonCodes(_create("CarbonCodes", abi.encode(manager, accounts, anchor, ledger, address(0))));
        quota = IQuota(_create("Quota", abi.encode(manager, accounts, ledger)));
        cash = ICash(_create("Cash", abi.encode(manager, accounts)));
        market = IMarket(_create("Market", abi.encode(manager, accounts, rulebook, quota, cash)));
    }

    /// @dev Deploys the checked-in artifact: what is tested is what is shipped.
    function _create(string memory name, bytes memory arguments) internal returns (address) {
        return VM.deployCode(string.concat("contracts/artifacts/", name, ".json"), arguments);
    }

    function _wire() private {
        accounts.setAuthoriser(address(ledger), true);
        accounts.setAuthoriser(address(codes), true);
        accounts.setAuthoriser(address(quota), true);
        accounts.setAuthoriser(address(cash), true);
        accounts.setAuthoriser(address(market), true);
        quota.setMarket(address(market));
        cash.setMarket(address(market));
    }

    function _configure() private {
        rulebook.set("block.min_tonnes", 1, 100_000, "Art. 17", bytes32(uint256(17)));
        rulebook.set("block.band_bps", 1, 3000, "Art. 18", bytes32(uint256(18)));
        rulebook.set("block.open_s", 1, 46_800, "Art. 19", bytes32(uint256(19)));
        rulebook.set("block.close_s", 1, 54_000, "Art. 19", bytes32(uint256(19)));
        rulebook.setWorkingDays(2024, [type(uint256).max, type(uint256).max]);
        market.setReferencePrice(VINTAGE, PRICE);
        anchor.configure(_members(), 3);
        anchor.openStream(STREAM, 3600);
        ledger.registerBoundary(BOUNDARY, alpha, CONTENT);
    }

    function _members() internal view returns (IReadingAnchor.Member[] memory members) {
        members = new IReadingAnchor.Member[](4);
        members[0] = IReadingAnchor.Member(addressOf(memberNames[0]), address(0x101), Kind.ParkOperator);
        members[1] = IReadingAnchor.Member(addressOf(memberNames[1]), address(0x102), Kind.IdentityPlatform);
        members[2] = IReadingAnchor.Member(addressOf(memberNames[2]), verifier, Kind.Verifier);
        members[3] = IReadingAnchor.Member(addressOf(memberNames[3]), regulator, Kind.Regulator);
    }

    /* ACCOUNTS */

    function _id(string memory name) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked("ccl/account/v1", name)))));
    }

    function _key(string memory name, string memory role) internal pure returns (uint256) {
        return keyOf(string.concat(name, role));
    }

    /// @dev One representative who initiates, one who approves.
    function _open(string memory name, Kind kind) internal returns (address account) {
        account = _id(name);
        accounts.open(account, name, kind, _representatives(name));
    }

    function _representatives(string memory name)
        internal
        pure
        returns (IAccounts.Representative[] memory representatives)
    {
        representatives = new IAccounts.Representative[](2);
        representatives[0] = IAccounts.Representative(VM.addr(_key(name, " initiator")), INITIATE);
        representatives[1] = IAccounts.Representative(VM.addr(_key(name, " approver")), APPROVE);
    }

    function _nonce(address account) internal view returns (uint64 nonce) {
        (,, nonce) = accounts.accountOf(account);
    }

    /* SIGNATURES */

    function _domain(address where) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Park Carbon Ledger"),
                keccak256("1"),
                block.chainid,
                where
            )
        );
    }

    function _digest(address where, bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", _domain(where), structHash));
    }

    function _compact(uint256 key, bytes32 digest) internal pure returns (bytes32, bytes32) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(key, digest);
        return (r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    function _pair(uint256 initiator, uint256 approver, bytes32 digest)
        internal
        pure
        returns (Signatures memory signatures)
    {
        (signatures.initiatorR, signatures.initiatorVs) = _compact(initiator, digest);
        (signatures.approverR, signatures.approverVs) = _compact(approver, digest);
    }

    /// @dev Both representatives of an organisation sign an instruction for a contract.
    function _sign(string memory name, address where, bytes32 structHash) internal view returns (Signatures memory) {
        return _pair(_key(name, " initiator"), _key(name, " approver"), _digest(where, structHash));
    }

    /// @dev The members of a bit set sign a report for a contract.
    function _attest(address where, bytes32 structHash, uint256 signers)
        internal
        view
        returns (Attestation memory attestation)
    {
        bytes32 digest = _digest(where, structHash);
        attestation.signers = signers;
        for (uint256 i = 0; i < memberNames.length; ++i) {
            if (signers >> i & 1 == 0) continue;
            (bytes32 r, bytes32 vs) = _compact(keyOf(memberNames[i]), digest);
            attestation.signatures = abi.encodePacked(attestation.signatures, r, vs);
        }
    }

    /* REPORTS */

    function _batch(uint64 seq, bytes32 prevHead) internal view returns (IReadingAnchor.BatchReport memory report) {
        report.streamId = STREAM;
        report.seq = seq;
        report.prevHead = prevHead;
        report.batchRoot = keccak256(abi.encode("root", seq));
        report.leafCount = 4096;
        report.logSize = seq;
        report.logRoot = sha256(abi.encode("log", seq));
        report.refBlockNumber = uint64(block.number - 1);
        report.refBlockHash = blockhash(block.number - 1);
        report.firstTs = uint64(block.timestamp) - 900;
        report.lastTs = uint64(block.timestamp);
        report.gapsDigest = keccak256("gaps");
        report.dataDigest = keccak256("data");
        report.rulesVersion = 1;
    }

    /// @dev Anchors a batch with members 0, 2 and 3; returns the head.
    function _anchor(uint64 seq, bytes32 prevHead) internal returns (bytes32 structHash) {
        IReadingAnchor.BatchReport memory report = _batch(seq, prevHead);
        structHash = hasher.hash(report);
        anchor.submit(report, _attest(address(anchor), structHash, 13));
    }

    function _statement(uint8 purpose) internal pure returns (IEmissionLedger.StatementReport memory report) {
        report.boundary = BOUNDARY;
        report.periodStart = NOW - 31 days;
        report.periodEnd = NOW - 1 days;
        report.purpose = purpose;
        report.streamId = STREAM;
        report.inputRoot = keccak256("input");
        report.ruleSetDigest = keccak256("rules");
        report.factorSetDigest = keccak256("factors");
        report.boundaryDigest = sha256(CONTENT);
        report.grams = 150_000_500_000;
        report.resultDigest = keccak256("result");
    }

    function _record(IEmissionLedger.StatementReport memory report) internal returns (bytes32 statement) {
        statement = hasher.hash(report);
        ledger.record(report, _attest(address(ledger), statement, 13));
    }

    function _submit(bytes32 statement) internal {
        IEmissionLedger.SubmitStatement memory i =
            IEmissionLedger.SubmitStatement(alpha, statement, _nonce(alpha), DEADLINE);
        ledger.submit(i, _sign("alpha", address(ledger), hasher.hash(i)));
    }

    function _verify(bytes32 statement, uint8 opinion) internal {
        IEmissionLedger.VerifyStatement memory i = IEmissionLedger.VerifyStatement(
            verifier, statement, opinion, keccak256("findings"), _nonce(verifier), DEADLINE
        );
        ledger.verify(i, _sign("verifier", address(ledger), hasher.hash(i)));
    }

    function _confirm(bytes32 statement) internal {
        IEmissionLedger.ConfirmStatement memory i =
            IEmissionLedger.ConfirmStatement(regulator, statement, _nonce(regulator), DEADLINE);
        ledger.confirm(i, _sign("regulator", address(ledger), hasher.hashConfirm(i)));
    }

    /// @dev A confirmed statement of alpha; anchors the first batch where there is none.
    function _confirmed(uint8 purpose) internal returns (bytes32 statement) {
        (, uint64 seq,,) = anchor.head(STREAM);
        if (seq == 0) _anchor(0, 0);
        statement = _record(_statement(purpose));
        _submit(statement);
        _verify(statement, 1);
        _confirm(statement);
    }

    /* QUOTA, CASH, TRADE */

    function _issue(uint16 vintage, uint128 tonnes) internal {
        IQuota.IssueQuota memory i =
            IQuota.IssueQuota(regulator, vintage, tonnes, keccak256("document"), _nonce(regulator), DEADLINE);
        quota.issue(i, _sign("regulator", address(quota), hasher.hash(i)));
    }

    function _allocate(address to, uint16 vintage, uint128 tonnes) internal {
        IQuota.AllocateQuota memory i =
            IQuota.AllocateQuota(regulator, to, vintage, tonnes, keccak256("document"), _nonce(regulator), DEADLINE);
        quota.allocate(i, _sign("regulator", address(quota), hasher.hash(i)));
    }

    function _credit(address to, uint128 fen, bytes32 bankReference) internal {
        ICash.CreditReceipt memory i =
            ICash.CreditReceipt(bank, to, fen, bankReference, _nonce(bank), DEADLINE);
        cash.credit(i, _sign("bank", address(cash), hasher.hash(i)));
    }

    function _trade() internal view returns (IMarket.BlockTrade memory) {
        return IMarket.BlockTrade(
            alpha, beta, VINTAGE, BLOCK, PRICE, _nonce(alpha), _nonce(beta), DEADLINE
        );
    }

    function _tradeBlock(IMarket.BlockTrade memory trade) internal {
        bytes32 structHash = hasher.hash(trade);
        market.tradeBlock(
            trade,
            _sign("alpha", address(market), structHash),
            _sign("beta", address(market), structHash)
        );
    }

    /// @dev Both sides hold quota and cash, so that a trade moves between existing holders.
    function _fund() internal {
        _issue(VINTAGE, 10 * BLOCK);
        _allocate(alpha, VINTAGE, 4 * BLOCK);
        _allocate(beta, VINTAGE, BLOCK);
        _credit(alpha, 1_000_000, "alpha");
        _credit(beta, 10 * BLOCK * PRICE, "beta");
    }

    /* REFUSALS */

    /// @dev The next call is by a stranger and must be refused for want of a role.
    function _expectUnauthorized() internal {
        address stranger = addressOf("stranger");
        VM.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        VM.prank(stranger);
    }
}
