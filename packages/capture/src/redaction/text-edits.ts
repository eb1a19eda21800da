interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Replacements within one text, which may be told in any order. Of two that overlap, the earlier and longer one counts. */
export class TextEdits {
  private readonly edits: Edit[] = [];

  get isEmpty(): boolean {
    return this.edits.length === 0;
  }

  replace(from: number, to: number, text: string): void {
    this.edits.push({ from, to, text });
  }

  /** The text from `from` to `to`, edited; what reaches beyond its end is left out. */
  apply(text: string, from: number, to: number): string {
    if (this.isEmpty) return text.slice(from, to);
    const parts: string[] = [];
    let copied = from;
    for (const edit of this.edits.sort((a, b) => a.from - b.from || b.to - a.to)) {
      if (edit.from < copied || edit.to > to) continue;
      parts.push(text.slice(copied, edit.from), edit.text);
      copied = edit.to;
    }
    parts.push(text.slice(copied, to));
    return parts.join('');
  }
}
