// Made by `make generated` of the structs in src/visavis/protocol; do not edit.

import type { Media, Party } from "./signaling";

/** A call. Its times are null until they are known; duration is the seconds of talk. */
export type AudioVideoChat = {
  id: string;
  siteId: number;
  media: Media;
  state: CallState;
  reason: "missed" | "declined" | "cancelled" | "abandoned" | "hungUp" | "failed" | "disabled" | "recordingUnavailable" | "shutDown" | null;
  endedBy: Party | null;
  visitorName: string;
  visitorEmail: string;
  agentId: number | null;
  agentName: string;
  createTime: string;
  acceptTime: string | null;
  connectTime: string | null;
  endTime: string | null;
  duration: number | null;
  isRecorded: boolean;
  isUnrecorded: boolean;
  recordingId: string | null;
  isRecordingIntended: boolean;
  recordingState: RecordingState | null;
  missingMedia: string[];
  consent: Consent;
  origin: "api" | "invitation" | "widget";
  message: string;
};

/** A page of the calls, newest first, with the URLs of the previous and the next page. */
export type AudioVideoChatPage = {
  total: number;
  previousPage: string;
  nextPage: string;
  audioVideoChats: AudioVideoChat[];
};

/** An action of an agent; agentId is null for the command line, the system and unknown callers. */
export type AuditLog = {
  id: string;
  siteId: number;
  agentId: number | null;
  agentEmail: string;
  createTime: string;
  actionType: "audioAndVideoChatManagement" | "recordingPolicyManagement" | "recordingPlayed" | "recordingDownloaded" | "recordingComposed" | "recordingHeld" | "recordingReleased" | "recordingDeleted" | "recordingDeliveredWithout" | "signedIn" | "signInFailed" | "clientRefused" | "tokenRefused" | "uploadKeyRefused" | "signedOut" | "signedOutEverywhere" | "sessionEnded" | "passwordChanged" | "passwordReset" | "agentCreated" | "agentDisabled" | "agentEnabled" | "agentPermissionsChanged" | "roleCreated" | "rolePermissionsChanged" | "roleAssigned" | "roleUnassigned" | "apiKeyCreated" | "apiKeyRotated" | "apiKeyDeleted" | "clientCreated" | "clientGrantsChanged" | "clientSecretRotated" | "clientDisabled" | "clientEnabled" | "tokenIssued" | "tokenRotated" | "tokenRevoked" | "tokenReused" | "siteCreated" | "siteDisabled" | "siteEnabled" | "uploadKeyCreated" | "uploadKeyRotated" | "uploadKeyDeleted" | "nodeDrained" | "nodeUndrained" | "auditLogExported" | "auditLogTrimmed";
  actionSummary: string;
  actionDetails: Detail[];
  agentName: string;
  author: string;
  objectName: string;
};

/** A page of the log, newest first, with the URLs of the previous and the next page. */
export type AuditLogPage = {
  total: number;
  previousPage: string;
  nextPage: string;
  auditLogs: AuditLog[];
};

export type CallState = "requested" | "queued" | "ringing" | "accepted" | "connecting" | "connected" | "reconnecting" | "ended";

/** A change of the settings. Keys match in upper or lower case; unknown keys are ignored. */
export type ConfigChange = {
  recordingServerUrl: string;
  isEnabled?: boolean | string;
  isAutomaticallyRecordingAudioVideoChatsEnabled?: boolean | string;
  recordingServerSecret?: string;
};

/** Data of a server-sent event: the current configuration, and its ETag for If-Match. */
export type ConfigEvent = {
  etag: string;
  config: Configuration;
};

/** The configuration of Audio & Video Chat of one site. */
export type Configuration = {
  isEnabled: boolean;
  isAutomaticallyRecordingAudioVideoChatsEnabled: boolean;
  recordingServerUrl: string;
};

export type Consent = "none" | "notice" | "agreement";

/** A changed field. */
export type Detail = {
  fieldName: string;
  newValue: string;
  oldValue: string;
};

/** A chapter of the file; at is in seconds from the beginning. */
export type LibraryChapter = {
  at: number;
  title: string;
};

/** Progress of the MP4 of both sides, from 0 to 1. */
export type LibraryComposition = {
  state: "done" | "failed" | "none" | "running" | "waiting";
  progress: number;
};

/** Contents of the file: its tracks, its chapters, and the events of the call. */
export type LibraryContents = {
  duration: number;
  tracks: LibraryTrack[];
  chapters: LibraryChapter[];
  texts: LibraryEvent[];
  events: LibraryEvent[];
  quality: { [name: string]: unknown };
  consent: string;
  visitorName: string;
  visitorEmail: string;
  agentNames: string[];
  participants: LibraryParticipant[];
};

/** A recording with the contents of its file. */
export type LibraryDetails = {
  recording: LibraryRecording;
  contents: LibraryContents;
};

/** A recording in the library. */
export type LibraryEntry = {
  recording: LibraryRecording;
};

/** An event of the call; at is its position in the recording, in seconds from the beginning. */
export type LibraryEvent = {
  at: number;
  name: string;
  by: string;
  data: { [name: string]: unknown };
};

/** A page of the library, with the URLs of the previous and the next page. */
export type LibraryPage = {
  total: number;
  previousPage: string;
  nextPage: string;
  recordings: LibraryRecording[];
  isTotalExact: boolean;
};

/** A file that a browser can play, from begins to ends in seconds of the recording. */
export type LibraryPart = {
  name: string;
  side: string;
  kind: "audio" | "screen" | "video";
  fileName: string;
  mediaType: string;
  begins: number;
  ends: number;
  pictures: [number, number][];
  participants: number[];
};

/** A participant of the call, by their number in it; role is visitor or agent. */
export type LibraryParticipant = {
  id: number;
  role: string;
  name: string;
};

/** The files into which a recording is split for browsers. */
export type LibraryParts = {
  parts: LibraryPart[];
};

/** A recording in the library: size in bytes, duration in seconds. */
export type LibraryRecording = {
  id: string;
  siteId: number;
  callId: string;
  media: string;
  visitorName: string;
  visitorEmail: string;
  agentNames: string[];
  startedAt: string;
  duration: number;
  size: number;
  sha256: string;
  missing: string[];
  isHeld: boolean;
};

/** A track of the file. side is visitor, agent or, in files of other programs, empty. */
export type LibraryTrack = {
  index: number;
  side: string;
  kind: string;
  number: number;
  codec: string;
  width: number;
  height: number;
  participants: number[];
};

export type PasswordChange = {
  currentPassword: string;
  newPassword: string;
};

export type Permission = "Manage Settings" | "Accept Audio & Video Chats" | "View Recordings" | "View Audit Log";

/** Body of every error: `error`, which existing clients read, and the members of RFC 9457. */
export type Problem = {
  error: string;
  message: string;
  code: string;
  parameters: { [name: string]: string | number };
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  requestId: string;
  pointer?: string;
};

/** A recording and its delivery; sizes in bytes, duration in seconds. */
export type Recording = {
  id: string;
  callId: string;
  state: RecordingState;
  startedAt: string;
  duration: number | null;
  size: number | null;
  sha256: string | null;
  uploaded: number;
  attempts: number;
  triedAt: string | null;
  nextTryAt: string | null;
  lastError: string | null;
  isIncomplete: boolean;
  missingMedia: string[];
  nodes: RecordingNode[];
  recordingServerUrl: string | null;
  deliveredAt: string | null;
};

/** A node whose disk has packets of a recording. */
export type RecordingNode = {
  id: string;
  machine: string;
  isSilent: boolean;
  isStopped: boolean;
};

/** A page of recordings, newest first, with figures over all of them. */
export type RecordingPage = {
  pending: number;
  failed: number;
  incomplete: number;
  missing: number;
  oldestPending: string | null;
  lastSuccess: string | null;
  lastError: string | null;
  lastErrorTime: string | null;
  total: number;
  previousPage: string;
  nextPage: string;
  recordings: Recording[];
};

/** A change of the policy; absent fields do not change. A secret of null or "" removes it. */
export type RecordingPolicyChange = {
  consent?: "agreement" | "notice";
  unrecordable?: "continue" | "refuse";
  retentionDays?: number | null;
  secret?: string | null;
  ringSeconds?: number;
  queueSeconds?: number;
  connectSeconds?: number;
  resumeSeconds?: number;
  ringLimit?: number | null;
};

/** Recording policy of a site, and the time limits of its calls. */
export type RecordingPolicySettings = {
  consent: "agreement" | "notice";
  unrecordable: "continue" | "refuse";
  retentionDays: number | null;
  hasSecret: boolean;
  ringSeconds: number;
  queueSeconds: number;
  connectSeconds: number;
  resumeSeconds: number;
  ringLimit: number | null;
};

/** A recording server to test; absent fields default to the stored ones. */
export type RecordingServerTrial = {
  recordingServerUrl?: string;
  secret?: string | null;
};

/** Result of the test: a sentence, and the server's tus 1.0 extensions. */
export type RecordingServerVerdict = {
  ok: boolean;
  message: string;
  extensions: string[];
  hasChecksums: boolean;
};

export type RecordingState = "waiting" | "muxing" | "delivering" | "delivered" | "deleted" | "empty" | "failed";

/** A session of the caller in one browser; device is its User-Agent. */
export type SessionEntry = {
  id: string;
  device: string;
  address: string;
  createTime: string;
  lastUseTime: string;
  isCurrent: boolean;
};

/** The caller's sessions, last used first. */
export type SessionList = {
  sessions: SessionEntry[];
};

export type SignIn = {
  email: string;
  password: string;
};

/** The agent who is signed in on this browser. */
export type SignedIn = {
  agentName: string;
  email: string;
  siteId: number;
  isAdministrator: boolean;
  permissions: Permission[];
  unlistedProxies: string[];
};
