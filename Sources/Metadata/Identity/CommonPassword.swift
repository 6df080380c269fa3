/// List of common passwords, which are not accepted (NIST SP 800-63B, section 3.1.1.2).
///
/// Lists of leaked passwords hold hundreds of thousands, but those of 12 and more characters are nearly all of a few kinds:
/// a word that everybody takes, written once or twice, with digits before, behind or for letters; a walk over the keyboard;
/// a row of digits or letters; the account's or the program's own name. What is left of a password when such parts are
/// taken out must be something of its own.
enum CommonPassword {
    /// Whether hardly anything is left of a password without what everybody would try.
    static func isGuessable(_ password: String, of name: String) -> Bool {
        let plain = fold(password)
        var rest = plain
        let own = [fold(name), "martlet"].filter { $0.count >= 3 }
        for word in own + words { rest = rest.replacing(word, with: " ") }
        return count(rest.split(separator: " ").flatMap { withoutRuns(String($0)) }) < 5
    }

    /// Small letters, with the digits and signs that stand for letters as these.
    private static func fold(_ text: String) -> String {
        String(text.lowercased().map { signs[$0] ?? $0 })
    }

    private static let signs: [Character: Character] = ["@": "a", "$": "s"]

    /// Characters of their own: digits tell little, since they are what is put behind a word.
    private static func count(_ rest: [Character]) -> Int {
        rest.count { $0.isLetter || !$0.isASCII } + rest.count { !$0.isLetter && $0.isASCII } / 3
    }

    /// What is left without rows of neighbours (abcd, 1234, 9876), repeated characters and walks over the keyboard.
    private static func withoutRuns(_ text: String) -> [Character] {
        let letters = Array(text)
        var left: [Character] = []
        var place = 0
        while place < letters.count {
            let length = run(letters[place...])
            if length >= 4 {
                place += length
            } else {
                left.append(letters[place])
                place += 1
            }
        }
        return left
    }

    private static func run(_ text: ArraySlice<Character>) -> Int {
        guard let first = text.first else { return 0 }
        var longest = text.prefix { $0 == first }.count
        for line in lines {
            for direction in [line, Array(line.reversed())] {
                guard let start = direction.firstIndex(of: first) else { continue }
                longest = max(longest, zip(text, direction[start...]).prefix { $0 == $1 }.count)
            }
        }
        return longest
    }

    private static let lines: [[Character]] = [
        "abcdefghijklmnopqrstuvwxyz", "012345678901234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop",
        "yxcvbnm",
        "azertyuiop", "qsdfghjklm", "1qaz2wsx3edc4rfv5tgb6yhn", "1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgbyhnujm",
    ].map(Array.init)

    /// The words in what was leaked most, the longer ones first where one holds another.
    private static let words = [
        "administrator", "changeme", "password", "passwort", "passw0rd", "p4ssword", "motdepasse", "contrasena",
        "wachtwoord", "iloveyou", "trustno1", "superman", "princess", "sunshine", "football", "baseball", "starwars",
        "whatever", "computer", "internet", "michelle", "jennifer", "charlie", "liverpool", "pokemon", "samsung",
        "welcome", "willkommen", "bienvenue", "letmein", "default", "testing", "dragon", "monkey", "master", "shadow",
        "killer", "secret", "summer", "winter", "spring", "autumn", "admin", "login", "guest", "hello", "qwerty",
        "azerty",
        "test", "pass", "root", "user", "love", "love", "january", "february", "october", "november", "december",
    ]
}
