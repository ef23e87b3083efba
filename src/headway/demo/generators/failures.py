"""What a text service can do wrong, in words: each says what to do about it, in the language of the copy."""

from __future__ import annotations

from headway.demo.errors import GeneratorError

_WORDS: dict[str, tuple[str, str]] = {
    "generator_auth": (
        "文案服务拒绝了密钥。请检查 OPENAI_API_KEY 后重试。",
        "The text service refused the key. Check OPENAI_API_KEY, then retry.",
    ),
    "generator_not_found": (
        "文案服务上没有这个模型或地址。请检查 OPENAI_MODEL 和 OPENAI_BASE_URL 后重试。",
        "The text service knows no such model or address. Check OPENAI_MODEL and OPENAI_BASE_URL, then retry.",
    ),
    "generator_bad_request": (
        "文案服务不接受这个请求。请检查 OPENAI_MODEL 是否支持对话接口后重试。",
        "The text service did not accept the request. Check that OPENAI_MODEL is a chat model, then retry.",
    ),
    "generator_rate_limited": (
        "文案服务现在太忙，或额度已用完。请稍等一会儿再重试。",
        "The text service is too busy now, or the quota is used up. Wait a little, then retry.",
    ),
    "generator_unavailable": (
        "文案服务暂时出了问题。请稍后重试。",
        "The text service has a problem of its own. Retry in a while.",
    ),
    "generator_unreachable": (
        "连接不上文案服务。请检查网络和 OPENAI_BASE_URL 后重试。",
        "The text service can't be reached. Check the network and OPENAI_BASE_URL, then retry.",
    ),
    "generator_timeout": (
        "文案服务太久没有回应。请重试。",
        "The text service did not answer in time. Retry.",
    ),
    "generator_refused": (
        "文案服务拒绝为这个主题写作。请换一个说法再试。",
        "The text service declined to write about this topic. Put it another way and try again.",
    ),
    "generator_cut": (
        "文案写到一半，连接断了。请重试。",
        "The connection broke in the middle of the text. Retry.",
    ),
    "generator_too_long": (
        "文案超出了模型的长度上限。请减少卡片数量再试。",
        "The text went over the model's length limit. Ask for fewer cards and try again.",
    ),
    "generator_bad_output": (
        "文案服务返回的内容无法使用。请重试，或换一个模型（OPENAI_MODEL）。",
        "What the text service sent can't be used. Retry, or choose another model (OPENAI_MODEL).",
    ),
}
_OF_STATUS = {
    400: "generator_bad_request",
    401: "generator_auth",
    403: "generator_auth",
    404: "generator_not_found",
    408: "generator_timeout",
    429: "generator_rate_limited",
    504: "generator_timeout",
}

CODES = tuple(_WORDS)


def failure(code: str, language: str) -> GeneratorError:
    chinese, english = _WORDS[code]
    return GeneratorError(chinese if language == "zh-CN" else english, code=code)


def of_status(status: int, language: str) -> GeneratorError:
    """For an HTTP status that is not 200."""
    if 300 <= status < 400:  # redirects are not followed: the key would travel along
        return failure("generator_not_found", language)
    return failure(
        _OF_STATUS.get(status, "generator_bad_request" if status < 500 else "generator_unavailable"), language
    )
