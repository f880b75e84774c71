import Foundation
import PackagePlugin

/// Compiles every kernel program of the package (`Sources/Probes/*/bpf/*.bpf.c`) with the Swift toolchain's own clang and
/// embeds the object in a Swift file. A plugin cannot feed a C target, hence Swift.
@main
struct EmbedBPF: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let sources = context.package.directoryURL.appending(path: "Sources")
    let shared = try files(in: sources.appending(path: "ProbeKit/bpf"), suffix: ".h")
    let tool = try context.tool(named: "embed-bpf").url
    let clang = try context.tool(named: "clang").url
    let objcopy = try context.tool(named: "llvm-objcopy").url
    let probes = try FileManager.default.contentsOfDirectory(
      at: sources.appending(path: "Probes"), includingPropertiesForKeys: nil)
    var commands: [Command] = []
    for probe in probes.sorted(by: { $0.path < $1.path }) {
      let folder = probe.appending(path: "bpf")
      guard FileManager.default.fileExists(atPath: folder.path) else { continue }
      let headers = try files(in: folder, suffix: ".h")
      for program in try files(in: folder, suffix: ".bpf.c") {
        let name = program.lastPathComponent.replacing(".bpf.c", with: "")
        let output = context.pluginWorkDirectoryURL.appending(path: "\(name).bpf.swift")
        commands.append(
          .buildCommand(
            displayName: "Compiling kernel program \(name)", executable: tool,
            arguments: [clang.path, objcopy.path, program.path, name, output.path],
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
