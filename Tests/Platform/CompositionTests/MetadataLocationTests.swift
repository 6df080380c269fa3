import Composition
import Core
import ProjectTestKit
import Projects
import SQLText
import Storage
import TestSupport
import Testing

/// Where the metadata of a project are, by what its files and the environment say.
@Suite struct `Metadata of a project` {
    private let place: TestHome
    private let clock = VirtualClock()

    init() throws { place = try TestHome.wards() }

    private func location(_ change: (old: String, new: String)? = nil, environment: String? = nil) throws
        -> MetadataLocation
    {
        // Written here, not by the kit: the key of the file is what is looked at.
        let text = change.map { Wards.configuration.replacing($0.old, with: $0.new) } ?? Wards.configuration
        try place.folder.write("martlet.yaml", text)
        return try MetadataLocation(
            place.project(), home: place.home, context: clock.context(),
            environment: { $0 == "MARTLET_METADATA" ? environment : nil })
    }

    private func saying(_ address: String) -> (old: String, new: String) {
        ("name: wards\n", "name: wards\nmetadata: \"\(address)\"\n")
    }

    @Test func `are a file of its home where nothing else is said`() throws {
        let location = try location()
        #expect(location.place == place.home.database)
        #expect(try !location.exists())
        _ = try location.open(.writing(creating: true))
        #expect(try location.exists() && Disk.exists(place.home.database))
        #expect(try location.check() == "sound, every page of it")
    }

    @Test func `are in the database that the file names, and the environment wins over the file`() throws {
        let named = try location(saying("postgres://ada:secret@db.example:5433/wards"))
        #expect(named.place == "postgres://db.example:5433/wards", "\(named.place)")
        #expect(!named.remedyOfLoss.contains("-wal"))
        let other = try location(
            saying("postgres://ada@db.example:5433/wards"), environment: "postgresql://eve@other.example/w")
        #expect(other.place.contains("other.example") && !other.place.contains("db.example"), "\(other.place)")
        #expect(!Disk.exists(place.home.database))
    }

    @Test(arguments: ["mysql://db.example/wards", "db.example:5432", "/var/lib/martlet.db", "postgres"])
    func `are refused where the address is none, whoever says it`(_ address: String) throws {
        for fromFile in [true, false] {
            let error = #expect(throws: MartletError.self) {
                try fromFile ? location(saying(address)) : location(environment: address)
            }
            #expect(error?.code == "metadata.address" && error?.kind == .input, "\(error?.description ?? "")")
        }
    }

    @Test func `are not begun by who only reads or may not, and are brought up to date by who writes`() throws {
        let location = try location()
        for access in [MetadataLocation.Access.reading, .writing(creating: false)] {
            #expect(throws: MartletError.self) { try location.open(access) }
            #expect(try !location.exists(), "\(access)")
        }
        _ = try location.open(.writing(creating: true))
        _ = try location.open(.writing(creating: false))
        let reading = try location.open(.reading)
        #expect(throws: MartletError.self) { try reading.write { try $0.execute("DELETE FROM runs") } }
    }

    @Test func `of another form than this program's are refused by who reads`() throws {
        let location = try location()
        let database = try location.open(.writing(creating: true))
        try database.write { try $0.execute("DELETE FROM schema_migrations WHERE number > 3") }
        let error = #expect(throws: MartletError.self) { try location.open(.reading) }
        #expect(error?.code.hasPrefix("metadata.") == true, "\(error?.description ?? "")")
    }
}
