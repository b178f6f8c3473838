import { css } from "lit";

export const joinStyles = css`
  main { max-width: 736px; margin: 0 auto; padding: clamp(24px, 8vh, 80px) 20px; }
  .card { padding: 32px; }
`;
