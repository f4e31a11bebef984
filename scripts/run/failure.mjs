/** A foreseeable failure: its message is one sentence for whoever typed the command, and no stack trace follows. */
export class Failure extends Error {}
