import LinuxSystem
import NetTypes
import Testing
import Workloads

struct WorkloadTests {
  @Test(
    "the name of a network namespace becomes a pod's",
    arguments: [
      ("web", "default", "web"), ("shop--web", "shop", "web"), ("a--b--c", "a", "b--c"), ("a-b", "default", "a-b"),
      ("--web", "default", "--web"), ("web--", "default", "web--"), ("--", "default", "--"),
    ])
  func names(netns: String, namespace: String, pod: String) {
    #expect(Workload(netnsName: netns) == .pod(namespace: namespace, name: pod))
  }

  @Test("labels and texts")
  func labels() {
    #expect(Workload.host.labels == ("", ""))
    #expect(Workload.pod(namespace: "a", name: "b").labels == ("a", "b"))
    #expect(Workload.pod(namespace: "a", name: "b").text == "a/b")
    #expect(Workload.unnamed(NetnsCookie(rawValue: 4711)).labels == ("", "netns 4711"))
    #expect(Workload.unnamed(NetnsCookie(rawValue: 1 << 63 | 42)).text == "netns inode 42")
    #expect(Workload.unnamed(NetnsCookie(rawValue: 0)).text == "netns unknown")
  }

  @Test("a folder that is absent, or whose files are no namespaces, names nobody")
  func strangeFolders() {
    for folder in ["/nonexistent", "/etc"] {
      let directory = WorkloadDirectory(node: "n", sources: .init(folder: folder, host: "/nonexistent"))
      directory.scan()
      #expect(directory.podCount == 0)
      #expect(directory.workload(of: NetnsCookie(rawValue: 9)) == .unnamed(NetnsCookie(rawValue: 9)))
      #expect(directory.endpoint(of: IPAddress("10.0.0.1")!, seenFrom: NetnsCookie(rawValue: 9)) == .unknown)
    }
  }
}
