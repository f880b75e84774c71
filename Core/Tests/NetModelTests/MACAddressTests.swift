import NetTypes
import Testing

struct MACAddressTests {
  @Test(
    "text and back",
    arguments: [
      ("02:00:00:00:01:02", 0x0200_0000_0102), ("ff:ff:ff:ff:ff:ff", 0xffff_ffff_ffff), ("00:00:00:00:00:00", 0),
    ] as [(String, UInt64)])
  func text(text: String, value: UInt64) {
    #expect(MACAddress(text) == MACAddress(value: value))
    #expect(MACAddress(value: value).description == text)
  }

  @Test(
    "what is no address", arguments: ["", "02:00:00:00:01", "2:0:0:0:1:2", "02:00:00:00:01:+2", "02-00-00-00-01-02"])
  func invalid(text: String) { #expect(MACAddress(text) == nil) }

  @Test("groups", arguments: [("224.0.0.251", "01:00:5e:00:00:fb"), ("ff02::1:ff00:102", "33:33:ff:00:01:02")])
  func multicast(address: String, mac: String) {
    #expect(MACAddress.multicast(IPAddress(address)!).description == mac)
    #expect(MACAddress(mac)!.isGroup)
  }
}
