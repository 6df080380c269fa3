/// Table of measurement units and the linear conversions between them.
///
/// ```swift
/// MeasurementUnit.unit(inName: "weight [kg]")            // "kg"
/// MeasurementUnit.conversion(from: "N", to: "kN")?.scale  // 0.001
/// ```
///
/// Factors are to the dimension's SI unit (or the litre, the share); after the SI brochure, 9th edition, and the
/// international yard and pound.
package enum MeasurementUnit {
    /// A linear conversion: contract value = file value · scale + offset.
    package struct Conversion: Sendable, Equatable {
        /// Unit of the file's values; `nil` when only the factor is known.
        package var unit: String?
        /// Factor by which a file value is multiplied, before `offset` is added.
        package var scale: Double
        /// Number added after scaling, in the contract's unit; only temperatures have one other than 0.
        package var offset = 0.0

        /// Converts a file value to the contract's unit.
        package func callAsFunction(_ value: Double) -> Double { value * scale + offset }

        /// Whether the unit is a customary (non-metric) one; those are guessed last.
        package var isCustomary: Bool {
            ["psi", "atm", "mmHg", "lbf", "in", "ft", "lb", "hp", "cal", "kcal", "lb-ft", "mph", "gal"].contains(unit)
        }

        /// Size of the factor in either direction: 1000 for 0.001.
        package var magnitude: Double { max(abs(scale), 1 / max(abs(scale), 1e-300)) }

        /// The conversion as text: "× 0.001", "(x − 32) / 1.8".
        package var formula: String {
            if unit == "°F" { return "(x − 32) / 1.8" }
            if offset == 0 { return scale >= 1 || scale == 0 ? "× \(plain(scale))" : "/ \(plain(1 / scale))" }
            return "x · \(plain(scale)) \(offset < 0 ? "−" : "+") \(plain(abs(offset)))"
        }

        private func plain(_ value: Double) -> String {
            let rounded = (value * 1000).rounded() / 1000
            return rounded == rounded.rounded() && rounded < 1e15 ? "\(Int(rounded))" : "\(rounded)"
        }
    }

    private static let dimensions: [[(name: String, factor: Double)]] = [
        [
            ("Pa", 1), ("mbar", 100), ("hPa", 100), ("kPa", 1000), ("bar", 100_000), ("MPa", 1_000_000),
            ("psi", 6894.757), ("atm", 101_325), ("mmHg", 133.322),
        ],
        [("N", 1), ("kN", 1000), ("lbf", 4.448222)],
        [("m", 1), ("cm", 0.01), ("mm", 0.001), ("µm", 1e-6), ("km", 1000), ("in", 0.0254), ("ft", 0.3048)],
        [("kg", 1), ("g", 0.001), ("mg", 1e-6), ("t", 1000), ("lb", 0.45359237)],
        [("s", 1), ("ms", 0.001), ("min", 60), ("h", 3600), ("d", 86_400)],
        [("Hz", 1), ("kHz", 1000), ("rpm", 1.0 / 60), ("rad/s", 0.15915494)],
        [("V", 1), ("mV", 0.001), ("kV", 1000)],
        [("A", 1), ("mA", 0.001), ("kA", 1000)],
        [("W", 1), ("kW", 1000), ("MW", 1_000_000), ("hp", 745.7)],
        [("J", 1), ("kJ", 1000), ("kWh", 3_600_000), ("cal", 4.184), ("kcal", 4184)],
        [("Nm", 1), ("kNm", 1000), ("lb-ft", 1.355818)],
        [("m/s", 1), ("mm/s", 0.001), ("km/h", 1 / 3.6), ("mph", 0.44704)],
        [("l", 1), ("ml", 0.001), ("µl", 1e-6), ("m³", 1000), ("gal", 3.785412)],
        [("1", 1), ("%", 0.01), ("‰", 0.001)],
    ]

    private static let synonyms: [String: String] = [
        "pascal": "Pa", "bars": "bar", "newton": "N", "newtons": "N", "volt": "V", "volts": "V", "ampere": "A",
        "amps": "A", "watt": "W", "watts": "W", "um": "µm", "μm": "µm", "micron": "µm", "sec": "s", "secs": "s",
        "second": "s", "seconds": "s", "msec": "ms", "minute": "min", "minutes": "min", "mins": "min", "hr": "h",
        "hrs": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "1/min": "rpm", "u/min": "rpm", "hertz": "Hz",
        "c": "°C", "degc": "°C", "celsius": "°C", "f": "°F", "degf": "°F", "fahrenheit": "°F", "kelvin": "K",
        "lbs": "lb", "pounds": "lb", "kgs": "kg", "grams": "g", "percent": "%", "pct": "%", "inch": "in", "feet": "ft",
        "litre": "l", "liter": "l", "kmh": "km/h", "m3": "m³", "n·m": "Nm", "n.m": "Nm",
    ]

    /// Returns the canonical spelling of a unit; `nil` for an unknown one.
    package static func known(_ text: String) -> String? {
        let text = text.trimmed
        let names = dimensions.flatMap { $0.map(\.name) } + ["°C", "°F", "K"]
        // "mPa" and "MPa", "Mw" and "mW" differ: letter case counts first.
        if names.contains(text) { return text }
        if let name = synonyms[text.lowercased()] { return name }
        return names.first { $0.lowercased() == text.lowercased() }
    }

    /// Returns the unit at the end of a column name: "Cutting(kN)", "weight [kg]", "pressure_bar".
    package static func unit(inName name: String) -> String? {
        if let open = name.lastIndex(where: { "([".contains($0) }), let last = name.last, ")]".contains(last) {
            return known(String(name[name.index(after: open)...].dropLast()))
        }
        guard let cut = name.lastIndex(where: { "_ ".contains($0) }) else { return nil }
        let last = String(name[name.index(after: cut)...])
        // One letter at the end of a name is seldom a unit.
        return last.count > 1 || last == "%" ? known(last) : nil
    }

    /// Returns a column name without its unit, letter case, blanks and underscores: "Cutting(kN)" → "cutting".
    package static func stem(_ name: String) -> String {
        var text = Substring(name)
        if let open = text.lastIndex(where: { "([".contains($0) }), let last = text.last, ")]".contains(last) {
            text = text[..<open]
        } else if unit(inName: name) != nil, let cut = text.lastIndex(where: { "_ ".contains($0) }) {
            text = text[..<cut]
        }
        return text.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    /// Returns the conversion between two units; `nil` when they measure different quantities.
    package static func conversion(from file: String, to contract: String) -> Conversion? {
        candidates(for: contract).first { $0.unit == file }
    }

    /// Returns the conversions that a file may need for a contract's unit; for an unknown unit, the common factors.
    package static func candidates(for unit: String?) -> [Conversion] {
        switch unit {
        case "°C":
            return [
                Conversion(unit: "°F", scale: 1 / 1.8, offset: -32 / 1.8),
                Conversion(unit: "K", scale: 1, offset: -273.15),
            ]
        case "°F":
            return [
                Conversion(unit: "°C", scale: 1.8, offset: 32),
                Conversion(unit: "K", scale: 1.8, offset: 32 - 273.15 * 1.8),
            ]
        case "K":
            return [
                Conversion(unit: "°C", scale: 1, offset: 273.15),
                Conversion(unit: "°F", scale: 1 / 1.8, offset: 273.15 - 32 / 1.8),
            ]
        default: break
        }
        if let unit, let units = dimensions.first(where: { $0.contains { $0.name == unit } }),
            let own = units.first(where: { $0.name == unit })
        {
            return units.filter { $0.name != unit }.map { Conversion(unit: $0.name, scale: $0.factor / own.factor) }
        }
        let factors = [1000.0, 100, 60, 1e6, 1e5, 3600, 24, 25.4, 2.20462, 14.5038, 6.894757, 1.609344]
        return factors.flatMap { [Conversion(scale: 1 / $0), Conversion(scale: $0)] } + [
            Conversion(unit: "°F", scale: 1 / 1.8, offset: -32 / 1.8), Conversion(scale: 1.8, offset: 32),
            Conversion(scale: 1, offset: -273.15), Conversion(scale: 1, offset: 273.15),
        ]
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = Substring(self)
        while let first = text.first, first.isWhitespace { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
