/// What the kernel's reasons for sending a TCP reset mean (`include/net/rstreason.h`, since 6.10).
public enum ResetReasonTexts {
  /// The explanation of a reason, by the kernel's name without `SK_RST_REASON_`, or `NETFILTER_REJECT`.
  public static func explanation(of reason: String) -> String? {
    byReason[reason]
  }

  private static let byReason = Dictionary(
    table.map { ($0.reason, $0.text) }, uniquingKeysWith: { first, _ in first })

  public static let table: [(reason: String, text: String)] = [
    // Answers to a segment
    ("NOT_SPECIFIED", "The kernel names no reason for the reset."),
    (
      "NO_SOCKET",
      """
      The segment met no socket: nothing listens on the port, or the connection is gone here (restarted pod, \
      expired or moved connection).
      """
    ),
    (
      "TCP_INVALID_ACK_SEQUENCE",
      """
      The peer acknowledged something that was not sent, often an answer to an older connection with the same \
      ports.
      """
    ),
    (
      "TCP_RFC7323_PAWS",
      """
      The segment's timestamp was older than allowed while the connection was being opened; suspect NAT that mixes \
      hosts.
      """
    ),
    ("TCP_TOO_OLD_ACK", "The peer's acknowledgement was far too old for this connection."),
    ("TCP_ACK_UNSENT_DATA", "The peer acknowledged data that was never sent; the two ends disagree on the connection."),
    ("TCP_FLAGS", "The segment's TCP flags made no sense in this state, such as an ACK to a listening socket."),
    ("TCP_OLD_ACK", "The acknowledgement that should have finished the handshake was an old one."),
    (
      "TCP_ABORT_ON_DATA",
      """
      Data came after the application had closed the connection, so the peer was told that it is lost.
      """
    ),
    (
      "TCP_TIMEWAIT_SOCKET",
      """
      A segment with data or a wrong number reached a connection that was already closed and only lingered in \
      TIME-WAIT.
      """
    ),
    ("INVALID_SYN", "A SYN came inside a connection that exists already."),
    // Our side ends the connection
    (
      "TCP_ABORT_ON_CLOSE",
      """
      The application closed the socket with received data still unread, so the peer gets a reset instead of a \
      normal end.
      """
    ),
    (
      "TCP_ABORT_ON_LINGER",
      """
      The application closed the socket with lingering set to zero, which asks for a reset, or waiting for the \
      peer's end was given up.
      """
    ),
    (
      "TCP_ABORT_ON_MEMORY",
      """
      TCP's memory or the number of orphaned connections passed its limit (tcp_mem, tcp_max_orphans).
      """
    ),
    (
      "TCP_STATE",
      """
      The connection was aborted in a state in which only a reset can end it, such as unaccepted when its listener \
      closed.
      """
    ),
    ("TCP_KEEPALIVE_TIMEOUT", "Keep-alive probes stayed unanswered: the peer or the path to it is gone."),
    (
      "TCP_DISCONNECT_WITH_DATA",
      """
      The application disconnected the socket while sent data was still unacknowledged or unsent.
      """
    ),
    // MPTCP (RFC 8684)
    ("MPTCP_RST_EUNSPEC", "MPTCP: the subflow is no longer available, without a closer reason."),
    ("MPTCP_RST_EMPTCP", "MPTCP: the MPTCP options could not be processed."),
    ("MPTCP_RST_ERESOURCE", "MPTCP: there are not enough resources for another subflow."),
    ("MPTCP_RST_EPROHIBIT", "MPTCP: policy forbids the subflow."),
    ("MPTCP_RST_EWQ2BIG", "MPTCP: too much data was unacknowledged on this subflow, so it is given up."),
    ("MPTCP_RST_EBADPERF", "MPTCP: the subflow performs too badly compared with the others."),
    ("MPTCP_RST_EMIDDLEBOX", "MPTCP: a device on the path tampers with the MPTCP options."),
    ("ERROR", "An unexpected error inside the kernel ended the connection."),
    // Ours
    (
      "NETFILTER_REJECT",
      """
      A netfilter rule with target REJECT (--reject-with tcp-reset) sent the reset, not the destination.
      """
    ),
  ]
}
