import ServingComposition

await ServeCommand.runToExit()
