import NetModel
import NetParse
import NetTypes
import Testing

struct NetlinkReadingTests {
  @Test("a message that says to be longer than the bytes is refused")
  func lengths() throws {
    #expect(throws: NetlinkFormatError.messageLength(17, room: 16)) {
      try NetlinkMessage.all(in: [17, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }
    #expect(throws: NetlinkFormatError.messageLength(0, room: 16)) {
      try NetlinkMessage.all(in: [0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }
    let request = NetlinkRequest.links.message(flags: 0x300, sequence: 7)
    let read = try NetlinkMessage.all(in: request[...])
    #expect(read.map(\.type) == [18])
    #expect(read[0].sequence == 7)
    #expect(read[0].payload.count == 24)
  }
}
