// Build tool: compiles one kernel program and writes it as a Swift constant.
// embed-bpf CLANG LLVM_OBJCOPY SOURCE NAME OUTPUT [MODULE]
// MODULE: where BPFProgramFile is declared, when OUTPUT belongs to another module.
//
// No Foundation: it is built before everything else, on every clean build.
import Glibc

func fail(_ message: String) -> Never {
  let line = Array("error: \(message)\n".utf8)
  _ = unsafe write(STDERR_FILENO, line, line.count)
  exit(1)
}

func run(_ arguments: [String]) {
  var pid: pid_t = 0
  var pointers: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
  let error = unsafe posix_spawn(&pid, pointers[0]!, nil, nil, &pointers, environ)
  if error != 0 { fail("cannot start \(arguments[0]): \(unsafe String(cString: strerror(error)))") }
  var status: Int32 = 0
  while unsafe waitpid(pid, &status, 0) < 0 { if errno != EINTR { fail("cannot wait for \(arguments[0])") } }
  if status != 0 { fail("\(arguments.joined(separator: " ")) failed") }
}

func read(_ path: String) -> [UInt8] {
  guard let file = unsafe fopen(path, "r") else { fail("cannot read \(path)") }
  defer { unsafe fclose(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = unsafe fread(&chunk, 1, chunk.count, file)
    if count == 0 { return bytes }
    bytes += chunk[..<count]
  }
}

func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var out: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let value = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
    for index in 0..<4 {
      out.append(index <= group.count ? alphabet[Int(value >> (18 - 6 * UInt32(index)) & 63)] : UInt8(ascii: "="))
    }
  }
  return String(decoding: out, as: UTF8.self)
}

let arguments = CommandLine.arguments
guard (6...7).contains(arguments.count) else {
  fail("usage: embed-bpf CLANG LLVM_OBJCOPY SOURCE NAME OUTPUT [MODULE]")
}
let (clang, objcopy, source, name, output) = (arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
guard unsafe access("/usr/include/bpf/bpf_helpers.h", R_OK) == 0 else {
  fail("the headers of libbpf are missing: apt-get install libbpf-dev (or: make setup)")
}
#if arch(x86_64)
  let headers = "/usr/include/x86_64-linux-gnu"
#elseif arch(arm64)
  let headers = "/usr/include/aarch64-linux-gnu"
#endif
let object = output + ".o"
run([
  clang, "-target", "bpf", "-mcpu=v3", "-g", "-O2", "-Wall", "-Werror", "-I\(headers)", "-c", source, "-o", object,
])
// The debug sections are a hundred times what the kernel needs; BTF stays.
run([objcopy, "--strip-debug", object])
let (imports, visibility) = arguments.count == 7 ? ("import \(arguments[6])\n\n", "") : ("", "public ")
let text = """
  // Made from \(name).bpf.c by embed-bpf.
  \(imports)extension BPFProgramFile {
    \(visibility)static let \(name) = BPFProgramFile(name: "\(name)", base64: "\(base64(read(object)))")
  }

  """
guard let file = unsafe fopen(output, "w") else { fail("cannot write \(output)") }
unsafe fputs(text, file)
unsafe fclose(file)
