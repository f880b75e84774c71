import Foundation
import PackagePlugin

/// Compiles kernel programs with the Swift toolchain's own clang and embeds the objects in Swift files: for BPFPrograms
/// those of every probe (`Sources/Probes/*/bpf/*.bpf.c`), for any other target its own (`bpf/*.bpf.c`). A plugin cannot
/// feed a C target, hence Swift.
@main
struct EmbedBPF: BuildToolPlugin {
  /// The target that declares `BPFProgramFile`; others import it.
  static let library = "BPFPrograms"

  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let sources = context.package.directoryURL.appending(path: "Sources")
    let shared = try files(in: sources.appending(path: "ProbeKit/bpf"), suffix: ".h")
    let tool = try context.tool(named: "embed-bpf").url
    let clang = try context.tool(named: "clang").url
    let objcopy = try context.tool(named: "llvm-objcopy").url
    let isLibrary = target.name == Self.library
    let owners =
      isLibrary
      ? try FileManager.default.contentsOfDirectory(
        at: sources.appending(path: "Probes"), includingPropertiesForKeys: nil)
      : [target.directoryURL]
    var commands: [Command] = []
    for owner in owners.sorted(by: { $0.path < $1.path }) {
      let folder = owner.appending(path: "bpf")
      guard FileManager.default.fileExists(atPath: folder.path) else { continue }
      let headers = try files(in: folder, suffix: ".h")
      for program in try files(in: folder, suffix: ".bpf.c") {
        let name = program.lastPathComponent.replacing(".bpf.c", with: "")
        let output = context.pluginWorkDirectoryURL.appending(path: "\(name).bpf.swift")
        commands.append(
          .buildCommand(
            displayName: "Compiling kernel program \(name)", executable: tool,
            arguments: [clang.path, objcopy.path, program.path, name, output.path]
              + (isLibrary ? [] : [Self.library]),
            // Declaring only what is written keeps the build incremental: an edited header is an input too.
            inputFiles: [program] + headers + shared, outputFiles: [output]))
      }
    }
    return commands
  }

  func files(in folder: URL, suffix: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.lastPathComponent.hasSuffix(suffix) }.sorted { $0.path < $1.path }
  }
}
