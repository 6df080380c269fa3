import Commands

Martlet.runToExit()
