"""The content studio behind `web_app.py`: a topic in; a title, a text, tags and picture cards out, live."""
