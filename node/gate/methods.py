"""Which JSON-RPC methods there are behind a gate, whoever asks."""

__all__ = ["PASSED_METHODS", "PLAIN_METHODS", "SEND_METHOD", "why_refused"]

SEND_METHOD = "eth_sendRawTransaction"
"""The one method that changes anything."""

PASSED_METHODS = frozenset({
    "eth_blobBaseFee", "eth_blockNumber", "eth_call", "eth_chainId",
    "eth_createAccessList", "eth_estimateGas", "eth_feeHistory", "eth_gasPrice",
    "eth_getBalance", "eth_getBlockByHash", "eth_getBlockByNumber",
    "eth_getBlockReceipts", "eth_getBlockTransactionCountByHash",
    "eth_getBlockTransactionCountByNumber", "eth_getCode", "eth_getFilterChanges",
    "eth_getFilterLogs", "eth_getLogs", "eth_getProof", "eth_getStorageAt",
    "eth_getTransactionByBlockHashAndIndex",
    "eth_getTransactionByBlockNumberAndIndex", "eth_getTransactionByHash",
    "eth_getTransactionCount", "eth_getTransactionReceipt",
    "eth_getUncleCountByBlockHash", "eth_getUncleCountByBlockNumber",
    "eth_maxPriorityFeePerGas", "eth_newBlockFilter", "eth_newFilter", "eth_syncing",
    "eth_uninstallFilter", "net_listening", "net_version", "web3_clientVersion",
    "web3_sha3",
})  # fmt: skip
"""Methods that read."""

PLAIN_METHODS = frozenset({
    "eth_getBlockByHash", "eth_getBlockByNumber", "eth_getTransactionReceipt",
})  # fmt: skip
"""Those among them that every engine answers by itself and with little."""

_SIGNING_METHODS = frozenset({
    "eth_accounts", "eth_requestAccounts", "eth_sendTransaction",
    "eth_sendUnsignedTransaction", "eth_sign", "eth_signTransaction",
    "eth_signTypedData", "eth_signTypedData_v3", "eth_signTypedData_v4",
    "personal_sign",
})  # fmt: skip


def why_refused(method: str) -> str:
    """Say in one sentence why a method that is not passed does not pass."""
    if method in _SIGNING_METHODS:
        return (
            f"{method} is refused: this node holds no keys of its callers; sign the "
            "transaction yourself and use eth_sendRawTransaction"
        )
    if not method.startswith(("eth_", "net_", "web3_")):
        return (
            f"{method} is refused: only eth_, net_ and web3_ methods pass, control of "
            "the engine does not"
        )
    return f"method {method} not found"
