internal import CExpat
internal import Core

/// Calls a handler for the elements and texts of an XML document, in their order, by Expat.
///
/// Names come without their prefix. A document with a DTD is refused, since entities could grow without end.
final class XMLParser {
    private let parser: OpaquePointer
    private let box: Box

    /// What the callbacks get: they are C functions.
    private final class Box {
        let handler: any XMLHandler
        let parser: OpaquePointer
        var hasDTD = false
        init(_ handler: any XMLHandler, _ parser: OpaquePointer) {
            self.handler = handler
            self.parser = parser
        }
    }

    init(_ handler: any XMLHandler) throws {
        guard let parser = XML_ParserCreate(nil) else {
            throw MartletError(.machine, "engine.start", "The XML parser did not start: there is no memory.")
        }
        self.parser = parser
        box = Box(handler, parser)
        XML_SetUserData(parser, Unmanaged.passUnretained(box).toOpaque())
        XML_SetElementHandler(
            parser,
            { data, name, attributes in
                guard let box = XMLParser.box(data), let name else { return }
                box.handler.begin(XMLParser.local(name), XMLAttributes(attributes))
            },
            { data, name in
                guard let box = XMLParser.box(data), let name else { return }
                box.handler.end(XMLParser.local(name))
            })
        XML_SetCharacterDataHandler(parser) { data, text, count in
            guard let box = XMLParser.box(data), let text else { return }
            box.handler.text(UnsafeRawBufferPointer(start: text, count: Int(count)))
        }
        XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
            guard let box = XMLParser.box(data) else { return }
            box.hasDTD = true
            // Before an entity of it is replaced.
            XML_StopParser(box.parser, 0)
        }
    }

    deinit { XML_ParserFree(parser) }

    private static func box(_ data: UnsafeMutableRawPointer?) -> Box? {
        data.map { Unmanaged<Box>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func local(_ name: UnsafePointer<CChar>) -> UnsafePointer<CChar> {
        var start = name
        var at = name
        while at.pointee != 0 {
            if at.pointee == CChar(bitPattern: UInt8(ascii: ":")) { start = at + 1 }
            at += 1
        }
        return start
    }

    /// Reads on.
    /// - Throws: ``FileRefusal`` for what is no XML.
    func feed(_ bytes: UnsafeRawBufferPointer, isLast: Bool = false) throws {
        let status = XML_Parse(
            parser, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count), isLast ? 1 : 0)
        if box.hasDTD { throw FileRefusal("its XML has a document type declaration, which no workbook has") }
        if let refusal = box.handler.refusal { throw refusal }
        guard status == XML_STATUS_OK else {
            let what = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "it is no XML"
            throw FileRefusal("its XML is broken at line \(XML_GetCurrentLineNumber(parser)): \(what)")
        }
    }
}

/// Gets the elements and texts of an XML document.
protocol XMLHandler: AnyObject {
    func begin(_ name: UnsafePointer<CChar>, _ attributes: XMLAttributes)
    func end(_ name: UnsafePointer<CChar>)
    /// A part of a text: one text may come in several.
    func text(_ bytes: UnsafeRawBufferPointer)
    /// What the document is refused for; nothing more is read of it then.
    var refusal: FileRefusal? { get }
}

extension XMLHandler {
    /// Refuses nothing.
    var refusal: FileRefusal? { nil }
}

/// The attributes of an element, valid while it begins.
struct XMLAttributes {
    private let list: UnsafeMutablePointer<UnsafePointer<CChar>?>?

    init(_ list: UnsafeMutablePointer<UnsafePointer<CChar>?>?) { self.list = list }

    /// The value of an attribute by its name, with the prefix that the document gives it or another one.
    subscript(_ name: String) -> String? { pointer(name).map { String(cString: $0) } }

    func pointer(_ name: String) -> UnsafePointer<CChar>? {
        guard let list else { return nil }
        var at = 0
        while let key = list[at], let value = list[at + 1] {
            if same(key, name) { return value }
            at += 2
        }
        return nil
    }
}

/// Whether a C string says this, or ends in it behind a prefix.
@inline(__always)
func same(_ text: UnsafePointer<CChar>, _ name: String) -> Bool {
    var name = name
    return name.withUTF8 { wanted in
        var at = 0
        while at < wanted.count, UInt8(bitPattern: text[at]) == wanted[at] { at += 1 }
        if at == wanted.count, text[at] == 0 { return true }
        while text[at] != 0 {
            if UInt8(bitPattern: text[at]) == UInt8(ascii: ":") { return same(text + at + 1, wanted) }
            at += 1
        }
        return false
    }
}

private func same(_ text: UnsafePointer<CChar>, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
    var at = 0
    while at < wanted.count, UInt8(bitPattern: text[at]) == wanted[at] { at += 1 }
    return at == wanted.count && text[at] == 0
}
