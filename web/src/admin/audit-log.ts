import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t, type Word } from "../shared/i18n/en-pages";
import { dateTime } from "../shared/format";
import type { AuditLog as Entry, AuditLogPage, Detail } from "../generated/rest";
import { shared } from "../shared/styles";
import { CALL_WORDS } from "./call-settings";
import { POLICY_VALUES, POLICY_WORDS } from "./policy";

const LOGS = "/v4/global/auditLogs";
const PAGE_SIZE = 10;

const WORDS: Record<string, Word> = {
  isEnabled: "switch",
  isAutomaticallyRecordingAudioVideoChatsEnabled: "automaticRecording",
  recordingServerUrl: "recordingServer",
  address: "network",
  attempts: "attempts",
  permissions: "permissions",
  grants: "grants",
  ...POLICY_WORDS,
  ...CALL_WORDS,
  retentionDays: "retentionPeriod",
};
const VALUES: Record<string, Word> = {
  true: "on",
  false: "off",
  "for ever": "unlimited", // in entries of earlier versions
  ...POLICY_VALUES,
  all: "allAgents",
};

/** Texts of the actions on recordings, by the entry's `actionType`. */
const RECORDING_ACTIONS: Record<string, Word> = {
  recordingPlayed: "played",
  recordingDownloaded: "downloaded",
  recordingComposed: "composed",
  recordingHeld: "held",
  recordingReleased: "released",
  recordingDeleted: "deleted",
};
const SETTINGS = ["audioAndVideoChatManagement", "recordingPolicyManagement"];

/** Choices of the filter by action, each with its `actionType`s. */
const GROUPS: [Word, string[]][] = [
  ["groupSettings", SETTINGS],
  ["groupRecordings", Object.keys(RECORDING_ACTIONS)],
  [
    "groupSignIns",
    [
      "signedIn",
      "signInFailed",
      "signedOut",
      "signedOutEverywhere",
      "sessionEnded",
      "passwordChanged",
      "passwordReset",
    ],
  ],
  [
    "groupAgents",
    [
      ...["agentCreated", "agentDisabled", "agentEnabled", "agentPermissionsChanged"],
      ...["roleCreated", "rolePermissionsChanged", "roleAssigned", "roleUnassigned"],
      ...["siteCreated", "siteDisabled", "siteEnabled"],
    ],
  ],
  [
    "groupPrograms",
    [
      ...["apiKeyCreated", "apiKeyRotated", "apiKeyDeleted"],
      ...["uploadKeyCreated", "uploadKeyRotated", "uploadKeyDeleted", "uploadKeyRefused"],
      ...["clientCreated", "clientGrantsChanged", "clientSecretRotated"],
      ...["clientDisabled", "clientEnabled", "clientRefused"],
      ...["tokenIssued", "tokenRotated", "tokenRevoked", "tokenReused", "tokenRefused"],
    ],
  ],
  ["groupAuditLog", ["auditLogExported", "auditLogTrimmed"]],
  ["groupServers", ["nodeDrained", "nodeUndrained"]],
];

const AUTHORS: Record<string, Word> = {
  "command line": "commandLine",
  system: "bySystem",
  anonymous: "byStranger",
};

/** The audit log of the site: newest first, filtered, with a download for administrators. */
@customElement("visavis-audit-log")
export class AuditLog extends LitElement {
  static override styles = [
    shared,
    css`
      form { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(11rem, 100%), 1fr)); gap: 0.75rem; align-items: end; margin-bottom: 1rem; }
      input, select { min-width: 0; }
      ol { list-style: none; margin: 0; padding: 0; }
      li { padding: 0.75rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      a { color: var(--accent); }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
    `,
  ];

  /** Whether the agent may download the log. */
  @property({ type: Boolean }) exportable = false;
  /** Whether entries about recordings link to them, because the agent may open them. */
  @property({ type: Boolean }) linked = false;
  @state() private entries: Entry[] | undefined;
  @state() private index = 1;
  @state() private hasOlder = false;
  @state() private failure = "";
  private filters = new URLSearchParams();
  /** Number of the latest request: the answer to an older one is dropped. */
  private requests = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.refresh();
  }

  /** Load the newest entries. */
  async refresh(): Promise<void> {
    await this.read(1);
  }

  override render() {
    const isFiltered = this.filters.size > 0;
    return html`<section class="card" aria-labelledby="history-title">
      <h2 id="history-title">${t("history")}</h2>
      <form role="search" aria-label=${t("history")} @change=${this.filter} @submit=${this.filter}>
        <label class="field">${t("author")}<input name="author" maxlength="200" autocomplete="off" /></label>
        <label class="field">${t("action")}
          <select name="actionType">
            <option value="">${t("every")}</option>
            ${GROUPS.map(([word, actions]) => html`<option value=${actions.join(",")}>${t(word)}</option>`)}
          </select>
        </label>
        <label class="field">${t("object")}<input name="object" maxlength="200" autocomplete="off" /></label>
        <label class="field">${t("from")}<input name="from" type="date" /></label>
        <label class="field">${t("to")}<input name="to" type="date" /></label>
      </form>
      ${this.failure ? html`<p class="error" role="alert">${this.failure}</p>` : nothing}
      ${this.entries?.length ? html`<ol>${this.entries.map((entry) => line(entry, this.linked))}</ol>` : nothing}
      ${this.entries?.length === 0 ? html`<p class="quiet">${t(isFiltered ? "nothingFound" : "noHistory")}</p>` : nothing}
      <div class="bar">
        ${this.hasOlder ? html`<button @click=${() => this.read(this.index + 1)}>${t("older")}</button>` : nothing}
        ${this.exportable ? html`<a href="${LOGS}:export?${this.filters.toString()}" download>${t("exportLog")}</a>` : nothing}
      </div>
    </section>`;
  }

  private filter(event: Event): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = [...new FormData(form).entries()].filter(([, value]) => value !== "") as [string, string][];
    this.filters = new URLSearchParams(given.map(([name, value]) => [name, moment(name, value)]));
    void this.read(1);
  }

  private async read(index: number): Promise<void> {
    const request = (this.requests += 1);
    try {
      const response = await fetch(
        `${LOGS}?${this.filters.toString()}&pageIndex=${index}&pageSize=${PAGE_SIZE}`,
      );
      if (!response.ok) throw new Error(response.statusText);
      const body = (await response.json()) as AuditLogPage;
      if (request !== this.requests) return;
      this.entries = index === 1 ? body.auditLogs : appended(this.entries ?? [], body.auditLogs);
      this.index = index;
      this.hasOlder = body.nextPage !== "";
      this.failure = "";
    } catch {
      if (request === this.requests) this.failure = t("loadFailed");
    }
  }
}

/** Append the next page. It repeats entries if the log has grown since the page before it was read. */
const appended = (shown: Entry[], page: Entry[]): Entry[] => {
  const ids = new Set(shown.map(({ id }) => id));
  return [...shown, ...page.filter(({ id }) => !ids.has(id))];
};

/** The beginning of a day in the person's time zone; for the last day of a range, the beginning of the next. */
const moment = (name: string, value: string): string => {
  if (name !== "from" && name !== "to") return value;
  const [year = 0, month = 1, day = 1] = value.split("-").map(Number);
  return new Date(year, month - 1, day + (name === "to" ? 1 : 0)).toISOString();
};

const line = (entry: Entry, isLinked: boolean) => html`<li>
  <span title=${entry.createTime}>${dateTime(entry.createTime)}</span> · <span title=${entry.agentEmail}>${authorOf(entry)}</span>
  ${told(entry, isLinked)}
</li>`;

/** Return the agent's name, or the text for another author. */
export const authorOf = ({ agentName, agentEmail, author }: Entry): string => {
  if (agentEmail) return agentName ? `${agentName} (${agentEmail})` : agentEmail;
  const word = AUTHORS[author];
  return word ? t(word) : author;
};

const told = (entry: Entry, isLinked: boolean) => {
  const action = RECORDING_ACTIONS[entry.actionType];
  if (action) return html`<p class="quiet">${t(action)}: ${recordingOf(entry, isLinked)}</p>`;
  const isSetting = SETTINGS.includes(entry.actionType);
  return html`
    ${isSetting ? nothing : html`<p>${entry.actionSummary}</p>`}
    ${entry.actionDetails.map((detail) => html`<p class="quiet">${label(detail.fieldName)}: ${change(detail)}</p>`)}
  `;
};

const change = ({ oldValue, newValue, fieldName }: Detail): string =>
  fieldName === "address" || fieldName === "attempts"
    ? newValue
    : `${written(oldValue)} → ${written(newValue)}`;

/** Return the name of an entry's recording, as a link if the recording still exists and may be opened. */
const recordingOf = ({ actionDetails, actionSummary }: Entry, isLinked: boolean) => {
  const detail = actionDetails.find(({ fieldName }) => fieldName === "recording");
  const id = detail?.newValue ?? "";
  const name = recordingName(actionSummary) || id || (detail?.oldValue ?? "");
  return id && isLinked ? html`<a href="/library?recording=${encodeURIComponent(id)}">${name}</a>` : name;
};

/** Return the visitor and the time of a recording, taken from the summary of an entry. */
export const recordingName = (summary: string): string => {
  const [, time, visitor] = /the recording of (\S+) with (.+?)(: kept for \d+ days)?$/.exec(summary) ?? [];
  return time && visitor ? `${visitor}, ${dateTime(`${time}Z`)}` : "";
};

const label = (fieldName: string): string => {
  const word = WORDS[fieldName];
  return word ? t(word) : fieldName;
};

const written = (value: string): string => {
  const word = VALUES[value];
  return word ? t(word) : value || t("none");
};
