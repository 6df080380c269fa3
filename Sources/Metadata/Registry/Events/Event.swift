package import Core

/// A recorded event of a project, as a CloudEvents 1.0 record.
///
/// As JSON it is the structured form (application/cloudevents+json), with the extension attribute `position`.
package struct Event: Sendable, Equatable, Encodable {
    /// Sequence number within the project, from 1, without gaps.
    package let position: Int
    /// CloudEvents source, the project: "/projects/wards".
    package let source: String
    /// Unique id within the source, derived from what happened: "run/0190…/finished".
    package let id: String
    /// CloudEvents type, see ``EventType``.
    package let type: String
    /// What the event is about: "runs/0190…", "tables/gold.visits".
    package let subject: String
    /// When it happened; earlier positions may have later times.
    package let time: Timestamp
    /// What happened, as a JSON object whose members depend on `type`; docs/events.md lists them.
    package let data: JSONValue

    enum CodingKeys: String, CodingKey {
        case specversion, id, source, type, subject, time, datacontenttype, data, position
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode("1.0", forKey: .specversion)
        try box.encode(id, forKey: .id)
        try box.encode(source, forKey: .source)
        try box.encode(type, forKey: .type)
        try box.encode(subject, forKey: .subject)
        try box.encode(time, forKey: .time)
        try box.encode("application/json", forKey: .datacontenttype)
        try box.encode(data, forKey: .data)
        try box.encode(position, forKey: .position)
    }
}

/// An event to be written to the outbox, without its position.
package struct EventDraft: Sendable, Equatable {
    /// Type of the event; decides which members `data` has.
    package var type: EventType
    /// Unique id within the project; the same occurrence always has the same id.
    package var id: String
    /// What the event is about: "runs/0190…", "models/readmission/aliases/champion".
    package var subject: String
    /// When it happened, which may be before it is written.
    package var time: Timestamp
    /// The event's data; `nil` members are left out.
    package var data: [String: JSONValue]

    package init(_ type: EventType, id: String, subject: String, time: Timestamp, data: [String: JSONValue?]) {
        self.type = type
        self.id = id
        self.subject = subject
        self.time = time
        self.data = data.compactMapValues { $0 }
    }
}

/// Filter for events.
package struct EventQuery: Sendable, Equatable {
    /// Only events of these types; empty for all.
    package var types: [EventType] = []
    /// Only events that happened at this time or later.
    package var since: Timestamp?
    /// Only events after this position.
    package var after = 0
    /// Only events before this position.
    package var before = Int.max
    /// Largest number of events returned; no limit by default. Counts ignore it.
    package var limit = Int.max

    package init(
        types: [EventType] = [], since: Timestamp? = nil, after: Int = 0, before: Int = .max, limit: Int = .max
    ) {
        self.types = types
        self.since = since
        self.after = after
        self.before = before
        self.limit = limit
    }
}
