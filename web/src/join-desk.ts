import { Console } from "./console";

// the agent's page of a call that was made over the API: the console, for that one call
const desk = new Console();
desk.join = location.pathname.split("/").pop() ?? "";
document.body.append(desk);
