import Core
import Registry
import TestSupport
import Testing

struct ReferenceTests {
    private static let readable: [(String, ModelReference.Selector?)] = [
        ("readmission", nil),
        ("readmission@champion", .alias(.champion)),
        ("lab-delay@candidate", .alias(.candidate)),
        ("readmission@12", .version(12)),
    ]

    @Test(arguments: readable)
    func `reads a name, an alias and a number`(_ text: String, _ selector: ModelReference.Selector?) throws {
        let reference = try ModelReference(parsing: text)
        #expect(reference.selector == selector)
        #expect(reference.description == text)
    }

    @Test(arguments: [
        "", "@champion", "readmission@", "readmission@0", "readmission@-1", "readmission@+1", "readmission@1.5",
        "readmission@latest", "readmission:3", "re admission", "readmission@1@2", "readmission@99999999999999999999",
        "readmission@Champion",
    ])
    func `refuses anything else as a usage error`(_ text: String) {
        let error = caught { _ = try ModelReference(parsing: text) }
        #expect(error?.code == "registry.bad-reference")
        #expect(error?.exitCode == 64)
        #expect(error?.remedy?.contains("NAME@champion") == true)
    }

    @Test func `suggests what may have been meant`() throws {
        #expect(caught { _ = try named("readmission@champoin") }?.message.contains("readmission@champion?") == true)
        let fixture = try RegistryFixture()
        let none = caught { _ = try fixture.registry.models.resolve(named("x")) }
        #expect(none?.message.contains("none is registered") == true)
        try fixture.version()
        let misspelt = caught { _ = try fixture.registry.models.resolve(named("readmision@1")) }
        #expect(misspelt?.kind == .missing)
        #expect(misspelt?.message.contains("Did you mean readmission?") == true)
        let far = caught { _ = try fixture.registry.models.rollback("zebra") }
        #expect(far?.message.contains("There is readmission.") == true)
        let number = caught { _ = try fixture.registry.models.show(named("readmission@7")) }
        #expect(number?.code == "registry.unknown-version")
        #expect(number?.message.contains("1 to 1") == true)
        #expect(
            code { _ = try fixture.registry.models.show(named("readmission@candidate")) } == "registry.unknown-alias")
    }
}
