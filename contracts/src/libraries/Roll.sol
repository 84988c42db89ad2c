// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {IReadingAnchor} from "../interfaces/IReadingAnchor.sol";
import {Kind} from "../interfaces/Types.sol";

/// @title The roll of the members, packed into words that a batch reads for one cold access
/// @notice A roll is a clone of nothing that never runs; its immutable arguments are the words. Word 0 holds version
/// and threshold, word i + 1 member i: key (160 bits), flags (8 bits), the bit of its organisation (32 bits).
library Roll {
    using Memory for bytes;
    using Memory for Memory.Slice;

    /// @notice Bit of a member's word that tells a verifier or a regulator.
    uint256 internal constant SUPERVISES = 1 << 160;

    /// @notice Bit of a member's word that tells a suspended one.
    uint256 internal constant SUSPENDED = 1 << 161;

    /// @dev Where the organisations begin in a member's word, one bit for each.
    uint256 private constant ORGANISATION_SHIFT = 168;

    /// @notice Bits of a member's word that tell its organisation.
    uint256 internal constant ORGANISATIONS = uint256(type(uint32).max) << ORGANISATION_SHIFT;

    /// @notice Where the threshold begins in word 0, behind the version.
    uint256 internal constant THRESHOLD_SHIFT = 32;

    /// @dev Length of a word in bytes.
    uint256 private constant WORD_BYTES = 32;

    /// @notice Packs a configuration.
    /// @param members Its members, at most 32.
    /// @param version Its number.
    /// @param threshold Number of members that must sign.
    function pack(IReadingAnchor.Member[] calldata members, uint32 version, uint8 threshold)
        internal
        pure
        returns (bytes memory)
    {
        uint256[] memory words = new uint256[](members.length + 1);
        words[0] = version | uint256(threshold) << THRESHOLD_SHIFT;
        uint256 supervisors = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            IReadingAnchor.Member calldata member = members[i];
            if (member.key == address(0) || member.organisation == address(0) || member.role == Kind.None) {
                revert IReadingAnchor.AnchorMemberInvalid(i);
            }
            uint256 supervises = member.role == Kind.Verifier || member.role == Kind.Regulator ? SUPERVISES : 0;
            supervisors |= supervises;
            words[i + 1] = uint160(member.key) | supervises | 1 << _organisation(members, i);
        }
        if (supervisors == 0) revert IReadingAnchor.AnchorRoleMissing();
        return abi.encodePacked(words);
    }

    /// @dev Place of an organisation's bit: that of its first member.
    function _organisation(IReadingAnchor.Member[] calldata members, uint256 index) private pure returns (uint256) {
        uint256 first = index;
        for (uint256 j = 0; j < index; ++j) {
            if (members[j].key == members[index].key) revert IReadingAnchor.AnchorMemberInvalid(index);
            if (first == index && members[j].organisation == members[index].organisation) first = j;
        }
        return ORGANISATION_SHIFT + first;
    }

    /// @notice The words of a roll, read in place: to decode them would cost a batch some 900 gas.
    /// @param roll Address of the clone.
    function wordsOf(address roll) internal view returns (Memory.Slice) {
        if (roll == address(0)) revert IReadingAnchor.AnchorNotConfigured();

        return Clones.fetchCloneArgs(roll).asSlice();
    }

    /// @notice One word. `index` is at most 32: the product cannot overflow.
    /// @param words Words of a roll.
    /// @param index Position of the word.
    function at(Memory.Slice words, uint256 index) internal pure returns (uint256) {
        unchecked {
            return uint256(words.load(index * WORD_BYTES));
        }
    }

    /// @notice A copy of a roll with another word at an index.
    /// @param words Words of a roll.
    /// @param index Position of the word.
    /// @param word The other word.
    function withWord(Memory.Slice words, uint256 index, uint256 word) internal pure returns (bytes memory) {
        bytes memory before = words.slice(0, index * WORD_BYTES).toBytes();
        bytes memory behind = words.slice((index + 1) * WORD_BYTES).toBytes();
        return bytes.concat(before, bytes32(word), behind);
    }

    /// @notice Number of members of a roll.
    /// @param words Words of a roll.
    function membersIn(Memory.Slice words) internal pure returns (uint256) {
        return words.length() / WORD_BYTES - 1;
    }
}
