"""What the studio says while it works, in the language of the copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headway.demo.generators.base import Copy


@dataclass(frozen=True)
class Words:
    stages: Mapping[str, str]
    doing: Mapping[str, str]
    units: Mapping[str, str]
    begin: str
    title: str
    text: str
    tags: str
    drew: str
    offline_note: str
    online_note: str

    def wrote(self, section: str, copy: Copy) -> str:
        """The log line for a section that is written."""
        if section == "title":
            return self.title.format(copy.title)
        if section == "text":
            return self.text.format(len(copy.text))
        return self.tags.format(" ".join(f"#{tag}" for tag in copy.tags))


WORDS: Mapping[str, Words] = {
    "zh-CN": Words(
        stages={"title": "标题", "text": "正文", "tags": "标签", "pictures": "配图", "layout": "排版"},
        doing={
            "title": "正在生成标题…",
            "text": "正在撰写正文…",
            "tags": "正在挑选标签…",
            "pictures": "正在绘制第 {number} 张卡片，共 {total} 张…",
            "layout": "正在排版打包…",
        },
        units={"title": "字", "text": "字", "tags": "个", "pictures": "张", "layout": "步"},
        begin="开始：{topic}（{label}，种子 {seed}）",
        title="标题写好了：{}",
        text="正文写好了，共 {} 字",
        tags="标签选好了：{}",
        drew="第 {number} 张卡片画好了：{heading}",
        offline_note="文案由 Headway 自带的离线生成器写成：|语法加词库，不联网，也没有 AI。",
        online_note="文案由语言模型 {label} 写成。",
    ),
    "en": Words(
        stages={"title": "Title", "text": "Text", "tags": "Tags", "pictures": "Pictures", "layout": "Layout"},
        doing={
            "title": "Writing the title…",
            "text": "Writing the text…",
            "tags": "Choosing tags…",
            "pictures": "Drawing card {number} of {total}…",
            "layout": "Putting it all together…",
        },
        units={"title": "characters", "text": "characters", "tags": "tags", "pictures": "cards", "layout": "steps"},
        begin="Begun: {topic} ({label}, seed {seed})",
        title="The title is written: {}",
        text="The text is written: {} characters",
        tags="The tags are chosen: {}",
        drew="Card {number} is drawn: {heading}",
        offline_note="Words by Headway’s offline generator: |a grammar and word lists, no network, no AI.",
        online_note="The copy comes from the language model {label}.",
    ),
}
