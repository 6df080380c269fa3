internal import Foundation

// Expressions that say something of moments: casts, distances, rounding.

extension ColumnLineage {
    private static let microseconds: [String: Double] = [
        "microsecond": 1, "microseconds": 1, "us": 1, "millisecond": 1e3, "milliseconds": 1e3, "ms": 1e3,
        "second": 1e6, "seconds": 1e6, "sec": 1e6, "secs": 1e6, "s": 1e6, "minute": 6e7, "minutes": 6e7, "min": 6e7,
        "mins": 6e7, "m": 6e7, "hour": 3.6e9, "hours": 3.6e9, "hr": 3.6e9, "hrs": 3.6e9, "h": 3.6e9,
        "day": 8.64e10, "days": 8.64e10, "d": 8.64e10, "week": 6.048e11, "weeks": 6.048e11, "w": 6.048e11,
        // At the most; at the least a month has 28 days and a year 365.
        "month": 2.6784e12, "months": 2.6784e12, "mon": 2.6784e12, "quarter": 7.9488e12, "quarters": 7.9488e12,
        "year": 3.16224e13, "years": 3.16224e13, "y": 3.16224e13, "decade": 3.1624e14, "century": 3.16e15,
    ]

    /// The distance a text like "1 hour 30 minutes" or "01:30:00" writes, in microseconds; months are not one length.
    private func distance(_ text: String) -> Double? {
        let parts = text.lowercased().split(separator: " ")
        if parts.count == 1, let clock = clock(text) { return clock }
        guard parts.count % 2 == 0, !parts.isEmpty else { return nil }
        var total = 0.0
        for index in stride(from: 0, to: parts.count, by: 2) {
            guard let number = Double(parts[index]), number.isFinite,
                let unit = Self.microseconds[String(parts[index + 1])],
                unit < 2e12
            else { return nil }
            total += number * unit
        }
        return total
    }

    /// Microseconds of a text like "-01:30:00.5".
    private func clock(_ text: String) -> Double? {
        let isNegative = text.hasPrefix("-")
        let parts = text.dropFirst(isNegative ? 1 : 0).split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            part.allSatisfy { $0.isASCII && $0.isNumber || $0 == "." } ? Double(part) : nil
        }
        guard parts.count == 2 || parts.count == 3, numbers.count == parts.count,
            numbers.allSatisfy({ (0..<1e9).contains($0) })
        else { return nil }
        let total = numbers[0] * 3.6e9 + numbers[1] * 6e7 + (numbers.count == 3 ? numbers[2] * 1e6 : 0)
        return isNegative ? -total : total
    }

    /// Microseconds since 1970 of a text that is a date or a timestamp without a time zone.
    private func instant(_ text: String) -> Int64? {
        let parts = text.split(whereSeparator: { $0 == " " || $0 == "T" })
        let days = (parts.first ?? "").split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count <= 2, days.count == 3, let year = days[0], let month = days[1], let day = days[2],
            (0...100_000).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Days from civil, after Howard Hinnant's algorithm.
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yoe = y - era * 400
        let doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy
        guard let time = parts.count > 1 ? clock(String(parts[1])) : 0, (0...8.64e10).contains(time) else { return nil }
        return Int64(era * 146_097 + doe - 719_468) * 86_400_000_000 + Int64(time)
    }

    /// A whole number of steps, unless it is too far for a moment to be moved by.
    func whole(_ number: Double) -> Int64? { abs(number) < 4e18 ? Int64(number) : nil }

    /// A constant beside a moment may be a moment too.
    func dated(_ value: LineageValue, like other: LineageValue?) -> LineageValue {
        guard value.moment == nil else { return value }
        var copy = value
        if case .text(let text)? = value.constant, let instant = instant(text) {
            copy.moment = SymbolicTime(SymbolicTime.origin, instant)
        } else if case .number(let number)? = value.constant, let other, other.moment != nil, other.unit != 1,
            let shift = whole(number * Double(other.unit))
        {
            copy.moment = SymbolicTime(SymbolicTime.origin, shift)
            copy.unit = other.unit
        }
        return copy
    }

    func cast(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        guard let child = node["child"] else { return LineageValue(everything(scope)) }
        var value = try evaluate(child, scope)
        let type = node["cast_type"]?.text("id") ?? ""
        value.fields = [:]
        switch type {
        case "BOOLEAN":
            if case .text(let text)? = value.constant { value.constant = .number(text == "t" ? 1 : 0) }
            return value
        case "INTERVAL":
            if case .text(let text)? = value.constant {
                value.constant = distance(text).map { .number($0) }
                return value
            }
        case "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_TZ":
            if case .text(let text)? = value.constant {
                value.moment = instant(text).map { SymbolicTime(SymbolicTime.origin, $0) }
                value.constant = nil
            }
            if type == "TIMESTAMP_S" { value.moment = rounded(value.moment, down: 1_000_000, scope) }
            if type == "TIMESTAMP_MS" { value.moment = rounded(value.moment, down: 1000, scope) }
            value.span = nil
            return value
        case "DATE":
            if case .text(let text)? = value.constant {
                value.moment = instant(text).map { SymbolicTime(SymbolicTime.origin, $0) }
                value.constant = nil
                return value
            }
            value.moment = rounded(value.moment, down: 86_400_000_000, scope)
            return value
        case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT":
            if case .number(let number)? = value.constant { value.constant = .number(number.rounded()) }
            if value.unit > 1 { value.moment = rounded(value.moment, down: value.unit, scope, up: value.unit) }
            value.span = value.span?.rounded
            return value
        case "DOUBLE", "FLOAT", "DECIMAL": return value
        case "VARCHAR":
            // Equal texts come from equal values.
            if value.constant == nil, let moment = value.moment {
                value.moment = joined([moment], node, scope)
            }
            value.constant = nil
            value.span = nil
            return value
        default: break
        }
        return LineageValue(value.dependencies)
    }

    /// A moment rounded down by less than `unit` (and up by less than `up`).
    func rounded(_ moment: SymbolicTime?, down unit: Int64, _ scope: LineageScope, up: Int64 = 0) -> SymbolicTime? {
        guard let moment else { return nil }
        if moment.symbol == SymbolicTime.origin {
            // Weeks and months do not begin with 1970.
            guard unit > 0, 86_400_000_000 % unit == 0 else { return nil }
            let remainder = ((moment.shift % unit) + unit) % unit
            return SymbolicTime(SymbolicTime.origin, moment.shift - remainder)
        }
        let symbol = scope.relation.newSymbol(symbols)
        scope.relation.facts.append(
            OrderConstraint(SymbolicTime(symbol), notAfter: SymbolicTime(moment.symbol, moment.shift &+ up), .same))
        scope.relation.facts.append(
            OrderConstraint(moment, notAfter: SymbolicTime(symbol, unit), isStrict: true, .same))
        return SymbolicTime(symbol)
    }

    /// A symbol for a value that is equal only where all its parts are.
    /// - Parameter isNullAlone: It is null where one part is, and then tells nothing of the others.
    private func joined(
        _ parts: [SymbolicTime], _ node: SyntaxNode, _ scope: LineageScope, isNullAlone: Bool = false
    ) -> SymbolicTime {
        let symbol = scope.relation.newSymbol(symbols)
        var instance = Relation.Instance(
            shape: shape(of: node, "joined"), key: [symbol], members: parts.map(\.symbol))
        instance.needsKey = isNullAlone
        scope.relation.instances.append(instance)
        return SymbolicTime(symbol)
    }

    private static let telling: Set<String> = [
        "md5", "sha256", "sha1", "hash", "md5_number", "md5_number_lower", "md5_number_upper", "concat", "concat_ws",
        "||", "row", "list_value", "struct_pack", "hex", "to_base64",
    ]

    private static let overLists: Set<String> = [
        "list_transform", "list_apply", "apply", "array_apply", "array_transform", "list_filter", "filter",
        "array_filter", "list_reduce", "reduce", "array_reduce", "map_filter", "map_transform",
    ]

    /// A function that makes one value of those in one row.
    func call(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        let children = node.list("children")
        if Self.overLists.contains(node.function) { return try overList(node, scope) }
        let values = try children.map { try evaluate($0, scope) }
        var result = LineageValue(values.flatMap(\.dependencies).unique)
        let name = node.function
        switch name {
        case "+", "-", "add", "subtract": arithmetic(name == "+" || name == "add", values, into: &result, scope)
        case "*":
            // Minutes of an epoch: a number of seconds times a constant.
            if values.count == 2, case .number(let factor)? = values[1].constant {
                result.span = values[0].span?.scaled(by: factor)
            }
        case "/":
            if values.count == 2, case .number(let divisor)? = values[1].constant, divisor != 0 {
                result.span = values[0].span?.scaled(by: 1 / divisor)
                if result.span == nil, divisor >= 1, let moment = values[0].moment, values[0].unit > 1,
                    divisor == divisor.rounded(), let unit = whole(Double(values[0].unit) * divisor)
                {
                    result.moment = moment
                    result.unit = unit
                }
            }
        case "date_trunc", "datetrunc":
            if values.count == 2, case .text(let part)? = values[0].constant,
                let unit = Self.microseconds[part.lowercased()]
            {
                result.moment = rounded(values[1].moment, down: Int64(unit), scope)
            }
        case "time_bucket":
            if values.count == 2, case .number(let width)? = values[0].constant, width >= 1,
                let unit = whole(width.rounded(.up)), values[1].moment?.symbol != SymbolicTime.origin
            {
                result.moment = rounded(values[1].moment, down: unit, scope)
            }
        case "epoch", "epoch_us", "epoch_ms", "epoch_ns":
            guard values.count == 1, let moment = values[0].moment, values[0].unit == 1 else { break }
            result.unit = ["epoch": 1_000_000, "epoch_ms": 1000][name] ?? 1
            result.moment = name == "epoch_ms" ? rounded(moment, down: 1000, scope) : moment
            if name == "epoch_ns" { result.moment = nil }
        case "floor", "trunc":
            result.constant = values.first?.constant
            if let first = values.first, first.unit > 1 {
                result.moment = rounded(first.moment, down: first.unit, scope)
                result.unit = first.unit
            }
        case "to_timestamp", "make_timestamp":
            if values.count == 1, values[0].unit > 1 { result.moment = values[0].moment }
        case "date_diff", "datediff", "date_sub", "datesub":
            guard values.count == 3, case .text(let part)? = values[0].constant, let low = values[1].moment,
                let high = values[2].moment, let unit = Self.microseconds[part.lowercased()]
            else { break }
            let least = unit < 2e12 ? unit : unit < 3e13 ? (unit / 2.6784e12).rounded() * 2.4192e12 : unit * 0.99
            result.span = .init(
                low: low, high: high, most: unit, least: least, name.contains("diff") ? .steps : .full, isWhole: true)
        case "age":
            if values.count == 2, let high = values[0].moment, let low = values[1].moment {
                result.span = .init(low: low, high: high, most: 1, .months)
            }
        case "least", "greatest":
            let known = values.map { dated($0, like: nil) }.filter { $0.moment != nil }
            guard !known.isEmpty, name == "least" || known.count == values.count else { break }
            if name == "least" {
                // Nulls are skipped: it is null only where all are.
                let symbol = scope.relation.newSymbol(symbols)
                for value in known {
                    value.moment.map {
                        scope.relation.facts.append(OrderConstraint(SymbolicTime(symbol), notAfter: $0, .lowIfHigh))
                    }
                }
                result.moment = SymbolicTime(symbol)
            } else {
                result.moment = oneOf(known.map { ($0, []) }, scope, skipsNull: true)
                if let latest = result.moment {
                    for value in known {
                        if let moment = value.moment, moment.symbol != latest.symbol {
                            scope.relation.facts.append(OrderConstraint(moment, notAfter: latest, .highIfLow))
                        }
                    }
                }
            }
        case "struct_pack":
            for (child, value) in zip(children, values) where !child.alias.isEmpty {
                result.fields[child.alias.lowercased()] = value
            }
        case "struct_extract", "struct_extract_at", "array_extract", "list_extract", "element_at":
            if values.count == 2, let first = values.first {
                if case .text(let field)? = values[1].constant, let value = first.fields[field.lowercased()] {
                    return value
                }
                result.fields = first.fields
            }
        case "if", "ifnull": break
        default:
            if name.hasPrefix("to_"), values.count == 1, case .number(let number)? = values[0].constant,
                let unit = Self.microseconds[String(name.dropFirst(3))], unit < 2e12
            {
                result.constant = .number(number * unit)
            }
        }
        let moments = values.compactMap(\.moment)
        if result.moment == nil, Self.telling.contains(name), !moments.isEmpty {
            let order = scope.order()
            let isFull = values.allSatisfy { value in
                value.moment.map { order.isThere($0.symbol) } ?? (value.constant != nil && value.constant != .null)
            }
            result.moment = joined(
                moments, node, scope, isNullAlone: name == "||" && values.count > 1 && !isFull)
        }
        return result
    }

    private func arithmetic(
        _ isSum: Bool, _ values: [LineageValue], into result: inout LineageValue, _ scope: LineageScope
    ) {
        guard values.count == 2 else { return }
        let (a, b) = (values[0], values[1])
        func step(_ value: LineageValue, _ unit: Int64) -> Int64? {
            guard case .number(let number)? = value.constant else { return nil }
            return whole((number * Double(unit)).rounded(isSum ? .up : .down))
        }
        if let moment = a.moment, let shift = step(b, a.unit) {
            result.moment = SymbolicTime(moment.symbol, isSum ? moment.shift &+ shift : moment.shift &- shift)
            result.unit = a.unit
        } else if isSum, let moment = b.moment, let shift = step(a, b.unit) {
            result.moment = SymbolicTime(moment.symbol, moment.shift &+ shift)
            result.unit = b.unit
        } else if !isSum, let high = a.moment, let low = b.moment, a.unit == b.unit {
            result.span = .init(low: low, high: high, most: Double(a.unit))
        } else if case .number(let x)? = a.constant, case .number(let y)? = b.constant {
            result.constant = .number(isSum ? x + y : x - y)
        }
    }

    /// A function with a lambda: its parameters are elements of the list.
    private func overList(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        var dependencies: [Dependency] = []
        for child in node.list("children") {
            guard child.kind == "LAMBDA", let body = child["expr"] else {
                dependencies += try evaluate(child, scope).dependencies
                continue
            }
            var names: Set<String> = []
            if let head = child["lhs"] {
                for part in head.kind == "COLUMN_REF" ? [head] : head.list("children") {
                    if let name = part.texts("column_names").last { names.insert(name.lowercased()) }
                }
            }
            let before = scope.parameters
            scope.parameters.formUnion(names)
            defer { scope.parameters = before }
            dependencies += try evaluate(body, scope).dependencies
        }
        return LineageValue(dependencies.unique)
    }
}
