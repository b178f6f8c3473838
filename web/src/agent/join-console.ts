import { Console } from "./console";

// The agent's page of a join link: the console for that one call.
const agentSession = new Console();
agentSession.join = location.pathname.split("/").pop() ?? "";
document.body.append(agentSession);
