// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestation, Signatures} from "./Types.sol";

/// @title Carbon-efficiency codes
/// @notice A certificate of level and grade for a confirmed statement, held by the boundary's account and locked there.
interface ICarbonCodes {
    /// @notice Thrown when a code is asked for a statement that is not confirmed.
    /// @param statement The statement.
    error CodesStatementNotConfirmed(bytes32 statement);

    /// @notice Thrown when a statement does not serve a code's purpose.
    /// @param given Purpose of the statement.
    /// @param needed Purpose that codes are issued for.
    error CodesPurposeMismatch(uint8 given, uint8 needed);

    /// @notice Thrown when a statement already has a live code.
    /// @param statement The statement.
    /// @param tokenId Its code.
    error CodesAlreadyIssued(bytes32 statement, uint256 tokenId);

    /// @notice Thrown when a grade is not one of 1 … 5.
    /// @param given Grade of the report.
    error CodesGradeInvalid(uint8 given);

    /// @notice Thrown when a share exceeds the whole.
    /// @param given Share of the report (1/10,000).
    /// @param needed Greatest share (1/10,000).
    error CodesShareInvalid(uint16 given, uint16 needed);

    /// @notice Thrown when a code would expire at once.
    /// @param given Expiry of the report (unix s).
    /// @param needed Time that it must exceed (unix s).
    error CodesExpiryInvalid(uint64 given, uint64 needed);

    /// @notice Thrown when a code does not exist.
    /// @param tokenId The code.
    error CodesUnknown(uint256 tokenId);

    /// @notice Thrown when a code was revoked before.
    /// @param tokenId The code.
    error CodesRevoked(uint256 tokenId);

    /// @notice Thrown when someone tries to move a code or to let others move it.
    error CodesLocked();

    /// @notice Thrown when an account declares value added for the boundary of another.
    /// @param given Account of the instruction.
    /// @param needed Account of the boundary.
    error CodesNotOwner(address given, address needed);

    /// @notice Thrown when a period is empty.
    /// @param periodStart Start (unix s).
    /// @param periodEnd End, not included (unix s).
    error CodesPeriodInvalid(uint64 periodStart, uint64 periodEnd);

    /// @notice Thrown when a retired contract is to do something.
    /// @param successor Contract that holds the codes now.
    error CodesOutOfOffice(ICarbonCodes successor);

    /// @notice Thrown when a contract is to act before it took over every code of its predecessor.
    /// @param given Number of codes taken over so far.
    error CodesNotComplete(uint64 given);

    /// @notice Thrown when every code is taken over already, or when there was never a predecessor.
    /// @param total Number of codes.
    error CodesNothingToAdopt(uint64 total);

    /// @notice Thrown when two contracts do not name each other as predecessor and successor.
    /// @param successor Contract that would hold the codes.
    /// @param predecessor Contract that would have held them before.
    error CodesNotSuccessor(ICarbonCodes successor, ICarbonCodes predecessor);

    /// @notice Thrown when one step is to take over too many codes.
    /// @param given Number of codes.
    /// @param needed Greatest number of codes.
    error CodesTooMany(uint256 given, uint256 needed);

    /// @notice Emitted when an enterprise declares its industrial value added.
    /// @param boundary The boundary.
    /// @param account Account of the boundary.
    /// @param periodStart Start (unix s).
    /// @param periodEnd End, not included (unix s).
    /// @param valueAddedFen Industrial value added (fen).
    /// @param evidenceDigest SHA-256 of the evidence.
    event ValueAddedDeclared(
        bytes32 indexed boundary,
        address indexed account,
        uint64 periodStart,
        uint64 periodEnd,
        uint256 valueAddedFen,
        bytes32 evidenceDigest
    );

    /// @notice Emitted when a code is issued.
    /// @param tokenId The code.
    /// @param statement The statement it rests on.
    /// @param account Account that holds it.
    /// @param report The whole report.
    event CodeIssued(
        uint256 indexed tokenId, bytes32 indexed statement, address indexed account, CodeReport report
    );

    /// @notice Emitted when a code is revoked.
    /// @param tokenId The code.
    /// @param reason Digest of the document that gives the reason.
    event CodeRevoked(uint256 indexed tokenId, bytes32 reason);

    /// @notice Emitted when a contract hands over to its successor and does nothing any more.
    /// @param successor Contract that holds the codes from now on.
    /// @param total Number of codes that the successor has to take over.
    event CodesRetired(ICarbonCodes indexed successor, uint64 total);

    /// @notice Emitted when a code is taken over from the predecessor, as it was there.
    /// @param tokenId The code.
    /// @param statement The statement it rests on.
    /// @param account Account that holds it.
    event CodeAdopted(uint256 indexed tokenId, bytes32 indexed statement, address indexed account);

    /// @notice Instruction: an enterprise declares its industrial value added.
    /// @param account Account of the boundary.
    /// @param boundary The boundary.
    /// @param periodStart Start (unix s).
    /// @param periodEnd End, not included (unix s).
    /// @param valueAddedFen Industrial value added (fen).
    /// @param evidenceDigest SHA-256 of the evidence.
    /// @param nonce Next nonce of the account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct DeclareValueAdded {
        address account;
        bytes32 boundary;
        uint64 periodStart;
        uint64 periodEnd;
        uint256 valueAddedFen;
        bytes32 evidenceDigest;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice What the members agree on for one code.
    /// @param statement The statement it rests on.
    /// @param grade 1 (best) … 5.
    /// @param levelMicro Level L (1e-6 t per 10^4 CNY).
    /// @param ratioMicro Ratio K of the level to the industry's mean (1e-6).
    /// @param benchmarkDigest Digest of the benchmark set.
    /// @param coverageBps Share of the period that was measured (1/10,000).
    /// @param attestedBps Share of the emissions that rests on signed readings (1/10,000).
    /// @param expires End of validity, not included (unix s).
    struct CodeReport {
        bytes32 statement;
        uint8 grade;
        uint64 levelMicro;
        uint64 ratioMicro;
        bytes32 benchmarkDigest;
        uint16 coverageBps;
        uint16 attestedBps;
        uint64 expires;
    }

    /// @notice What the ledger keeps of a code.
    /// @param statement The statement it rests on.
    /// @param benchmarkDigest Digest of the benchmark set.
    /// @param levelMicro Level L (1e-6 t per 10^4 CNY).
    /// @param ratioMicro Ratio K (1e-6).
    /// @param expires End of validity, not included (unix s).
    /// @param coverageBps Share of the period that was measured (1/10,000).
    /// @param attestedBps Share of the emissions that rests on signed readings (1/10,000).
    /// @param grade 1 (best) … 5.
    /// @param revoked Whether it was revoked.
    struct Code {
        bytes32 statement;
        bytes32 benchmarkDigest;
        uint64 levelMicro;
        uint64 ratioMicro;
        uint64 expires;
        uint16 coverageBps;
        uint16 attestedBps;
        uint8 grade;
        bool revoked;
    }

    /// @notice Declares industrial value added.
    /// @param instruction The instruction.
    /// @param signatures Initiator's and approver's signature.
    function declareValueAdded(DeclareValueAdded calldata instruction, Signatures calldata signatures) external;

    /// @notice Issues a code that a quorum recomputed. Anyone may carry it.
    /// @param report What the members agreed on.
    /// @param attestation Their signatures over the report's EIP-712 digest.
    /// @return tokenId The code: the EIP-712 struct hash of the report.
    function issue(CodeReport calldata report, Attestation calldata attestation) external returns (uint256 tokenId);

    /// @notice Revokes a code; it stays where it is and is no longer valid.
    /// @param tokenId The code.
    /// @param reason Digest of the document that gives the reason.
    function revoke(uint256 tokenId, bytes32 reason) external;

    /// @notice Hands over to a successor for good. The codes stay readable here; nothing else can be done.
    /// @param successor_ Contract that names this one as its predecessor.
    function retire(ICarbonCodes successor_) external;

    /// @notice Takes codes over from the retired predecessor, as they are there. Anyone may carry it, in steps; a code
    /// that is here already is passed over. Until the last one is here, this contract does nothing else.
    /// @param tokenIds Codes of the predecessor.
    function adopt(uint256[] calldata tokenIds) external;

    /// @notice Contract that held the codes before; 0 where there was none.
    function predecessor() external view returns (ICarbonCodes);

    /// @notice Contract that holds the codes now; 0 while it is this one.
    function successor() external view returns (ICarbonCodes);

    /// @notice Number of codes ever issued or taken over here.
    function total() external view returns (uint64);

    /// @notice Whether every code of the predecessor is here.
    function isComplete() external view returns (bool);

    /// @notice What the ledger keeps of a code.
    /// @param tokenId The code.
    function codeOf(uint256 tokenId) external view returns (Code memory);

    /// @notice The live code of a statement; 0 where there is none.
    /// @param statement The statement.
    function liveCode(bytes32 statement) external view returns (uint256);

    /// @notice Whether a code is neither revoked nor expired and its statement still stands confirmed. A retired
    /// contract gives its successor's answer.
    /// @param tokenId The code.
    function isValid(uint256 tokenId) external view returns (bool);
}
