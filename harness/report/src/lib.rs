//! Findings and campaigns as text and Markdown.
