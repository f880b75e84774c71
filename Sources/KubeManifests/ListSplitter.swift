/// Cuts a long `List`, as `kubectl get -A -o yaml` prints it, into pieces that can be read one after another: the tree of a
/// whole dump takes some fifteen times the memory of its text.
///
/// Only that plain form is cut: one document whose `items` is a block sequence at the start of the line.
struct ListSplitter {
  struct Piece: Equatable {
    /// Lines of the text before the piece.
    let linesBefore: Int
    /// Items of the list before the piece.
    let itemsBefore: Int
    /// A document of its own with the key `items`, without the lines before.
    let text: String

    /// The piece with as many empty lines before it as make its lines' numbers right.
    var document: String { String(repeating: "\n", count: max(linesBefore - 1, 0)) + text }
  }

  /// The document without its items.
  let header: String
  let pieces: [Piece]

  /// Nil when the text does not have the form.
  ///
  /// - Parameter pieceSize: bytes after which a piece ends with its item.
  init?(_ text: String, pieceSize: Int) {
    guard text.utf8.count > pieceSize else { return nil }
    var header = ""
    var pieces: [Piece] = []
    var state = State.before
    var piece: (start: String.Index, lines: Int, items: Int)?
    var lines = 0
    var items = 0
    let utf8 = text.utf8
    var start = utf8.startIndex

    func close(at end: String.Index) {
      guard let open = piece else { return }
      pieces.append(Piece(linesBefore: open.lines, itemsBefore: open.items, text: "items:\n" + text[open.start..<end]))
      piece = nil
    }

    while start < utf8.endIndex {
      let end = utf8[start...].firstIndex(of: UInt8(ascii: "\n")).map { utf8.index(after: $0) } ?? utf8.endIndex
      let line = utf8[start..<end]
      let isItem = line.starts(with: "- ".utf8)
      let isInner = [UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "#")].contains(line.first)
      if line.starts(with: "---".utf8) || line.starts(with: "...".utf8) {
        if lines > 0 { return nil }
      } else if line.elementsEqual("items:\n".utf8) {
        guard state == .before else { return nil }
        state = .inside
      } else if state == .inside, isItem {
        if let open = piece, utf8.distance(from: open.start, to: start) >= pieceSize { close(at: start) }
        if piece == nil { piece = (start, lines, items) }
        items += 1
      } else if state == .inside, isInner {
        if piece == nil, line.first == UInt8(ascii: " ") { return nil }
      } else {
        if state == .inside {
          close(at: start)
          state = .after
        }
        header += text[start..<end]
      }
      lines += 1
      start = end
    }
    if state == .inside { close(at: utf8.endIndex) }
    guard pieces.count > 1 else { return nil }
    self.header = header
    self.pieces = pieces
  }

  private enum State { case before, inside, after }
}
