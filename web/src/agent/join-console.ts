import { Console } from "./console";

// the agent's page of a call that was made over the API: the console, for that one call
const agentSession = new Console();
agentSession.join = location.pathname.split("/").pop() ?? "";
document.body.append(agentSession);
