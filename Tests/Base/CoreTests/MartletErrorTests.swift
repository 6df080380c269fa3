import Core
import Testing

@Suite struct `Errors for people` {
    @Test func `say where, what, the code and what to do`() {
        let error = MartletError(
            .input, "config.unknown-key", "There is no key gatez here.",
            at: .init(file: "martlet.yaml", line: 7, column: 3, key: "models[0].gatez"), remedy: "Did you mean gates?")
        #expect(
            error.description
                == "martlet.yaml:7:3, models[0].gatez: There is no key gatez here. [config.unknown-key]\n  → Did you mean gates?"
        )
        #expect(MartletError(.input, "a.b", "It is so.").description == "It is so. [a.b]")
        #expect(MartletError(.input, "a.b", "It is so.", at: .init()).description == "It is so. [a.b]")
        #expect(MartletError.Location(line: 3).description == "line 3")
    }

    @Test(
        arguments: [
            ("the key comes twice", "The key comes twice."), ("Whole already.", "Whole already."),
            ("did you mean seed?", "Did you mean seed?"), ("rare_below must be 1", "rare_below must be 1."),
            ("min_samples_leaf", "min_samples_leaf."), ("", ""),
        ])
    func `become whole sentences, and keep names as they are`(text: String, sentence: String) {
        let error = MartletError(.input, "a.b", text, remedy: text).sentence(at: .init(key: "models.a"))
        #expect(error.message == sentence)
        #expect(error.remedy == sentence)
        #expect(error.location?.key == "models.a")
        #expect(error.sentence(at: .init(key: "else")).location?.key == "models.a")
        #expect(error.placed(at: .init(key: "else")).location?.key == "else")
    }

    @Test(
        arguments: [
            (MartletError.Kind.usage, 64), (.refused, 2), (.defect, 70), (.input, 1), (.missing, 1), (.conflict, 1),
            (.machine, 1),
        ] as [(MartletError.Kind, Int32)])
    func `end the process with the code of their kind`(kind: MartletError.Kind, code: Int32) {
        #expect(MartletError(kind, "a.b", "c").exitCode == code)
    }
}
